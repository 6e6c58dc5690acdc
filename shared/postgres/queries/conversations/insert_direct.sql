-- Opens a direct conversation unless it is there, somebody is unknown or a block stands between
-- the two. Of two who open it at once, one inserts; the other waits for that and inserts nothing.
-- What is there now is read by a second statement, because this one's snapshot is older.
--
-- $1 id, $2 creator, $3 the other, $4 created at.
-- Row: known_users uuid[] (of the two), is_blocked, is_new. Exactly one.
WITH people AS (
    SELECT id FROM users
    WHERE id IN ($2, $3) AND erased_at IS NULL
    ORDER BY id
    FOR KEY SHARE
), barrier AS (
    SELECT EXISTS (
        SELECT FROM blocks
        WHERE (blocker_id, blocked_id) IN (($2, $3), ($3, $2))
    ) AS is_blocked
), opened AS (
    INSERT INTO conversations (id, type, created_by, active_at, changed_at, created_at)
    SELECT $1, 'direct', $2, $4, $4, $4
    FROM barrier
    WHERE NOT barrier.is_blocked AND (SELECT count(*) FROM people) = 2
    ON CONFLICT (id) DO NOTHING
    RETURNING id
), joined AS (
    INSERT INTO members (conversation_id, user_id, role, joined_seq, delivered_seq, read_seq,
        joined_at)
    SELECT opened.id, people.id, 'member', 0, 0, 0, $4
    FROM opened CROSS JOIN people
), copies AS (
    INSERT INTO membership_changes (conversation_id, user_id, is_active, version)
    SELECT opened.id, people.id, true, 0
    FROM opened CROSS JOIN people
)
SELECT ARRAY(SELECT id FROM people) AS known_users, barrier.is_blocked,
    EXISTS (SELECT FROM opened) AS is_new
FROM barrier
