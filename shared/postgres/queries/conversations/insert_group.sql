-- Opens a group with its first message (seq 1: its creation) unless its creator opened one under
-- the same client_id before, somebody is unknown, or a block stands between the creator and
-- somebody named. Of two repeats at once, one inserts; the other waits and inserts nothing.
-- What is there now is read by a second statement, because this one's snapshot is older.
--
-- $1 id, $2 creator, $3 client_id, $4 title, $5 the other members uuid[], $6 created at,
-- $7 the event of the first message jsonb.
-- Row: known_users uuid[] (creator and named), is_blocked, is_new. Exactly one.
WITH named AS (
    SELECT DISTINCT named.id FROM unnest($5::uuid[] || $2::uuid) AS named (id)
), people AS (
    SELECT users.id FROM users JOIN named USING (id)
    WHERE users.erased_at IS NULL
    ORDER BY users.id
    FOR KEY SHARE OF users
), barrier AS (
    SELECT EXISTS (
        SELECT FROM blocks
        WHERE (blocker_id = $2 AND blocked_id = ANY ($5::uuid[]))
            OR (blocked_id = $2 AND blocker_id = ANY ($5::uuid[]))
    ) AS is_blocked
), opened AS (
    INSERT INTO conversations (id, type, title, created_by, client_id, last_seq, active_at,
        changed_at, created_at)
    SELECT $1, 'group', $4, $2, $3, 1, $6, $6, $6
    FROM barrier
    WHERE NOT barrier.is_blocked
        AND (SELECT count(*) FROM people) = (SELECT count(*) FROM named)
    ON CONFLICT ON CONSTRAINT conversations_created_by_client_id_key DO NOTHING
    RETURNING id
), joined AS (
    INSERT INTO members (conversation_id, user_id, role, joined_seq, delivered_seq, read_seq,
        joined_at)
    SELECT opened.id, people.id, CASE WHEN people.id = $2 THEN 'owner' ELSE 'member' END,
        0, 0, 0, $6
    FROM opened CROSS JOIN people
), copies AS (
    INSERT INTO membership_changes (conversation_id, user_id, is_active, version)
    SELECT opened.id, people.id, true, 1
    FROM opened CROSS JOIN people
), created AS (
    -- Its client_id is the id of the group: the group's own client_id may well be the one of
    -- the creator's first message, which would then count as known.
    INSERT INTO messages (conversation_id, seq, rev, client_id, sender_id, kind, event, created_at)
    SELECT opened.id, 1, 1, opened.id, $2, 'system', $7, $6
    FROM opened
)
SELECT ARRAY(SELECT id FROM people) AS known_users, barrier.is_blocked,
    EXISTS (SELECT FROM opened) AS is_new
FROM barrier
