-- Writes a change of a group that was judged by standing.sql, under the same lock: what it is
-- afterwards, who is in, and a system message with a number of its own for each thing that
-- changed.
--
-- Who joins sees the message that tells of it. Rows of members are taken in the order of their
-- keys, as receipts take them.
--
-- $1 conversation id, $2 actor, $3 the time, $4 title, $5 description, $6 avatar_url,
-- $7 shares history: as they are to be; $8 client_ids and $9 events of the messages,
-- $10 people who join, $11 people who leave, $12 a member whose role changes or null,
-- $13 to this role, $14 id of the invite that is used or null, $15 whether all invites end,
-- $16 somebody whose invites end or null.
-- Row: changed_at, last_seq. Exactly one.
WITH raised AS (
    UPDATE conversations c
    SET last_seq = c.last_seq + cardinality($8::uuid[]), title = $4, description = $5,
        avatar_url = $6, shares_history = $7, changed_at = greatest(c.changed_at, $3),
        active_at = greatest(c.active_at, $3), touched_at = clock_timestamp()
    WHERE c.id = $1
    RETURNING c.id, c.changed_at, c.last_seq, c.last_seq - cardinality($8::uuid[]) AS base,
        c.shares_history
), joined AS (
    INSERT INTO members (conversation_id, user_id, role, joined_seq, delivered_seq, read_seq,
        joined_at)
    SELECT raised.id, joining.id, 'member',
        CASE WHEN raised.shares_history THEN 0 ELSE raised.base END, raised.last_seq,
        raised.last_seq, $3
    FROM raised
    CROSS JOIN (SELECT id FROM unnest($10::uuid[]) AS j (id) ORDER BY id) joining
    ON CONFLICT (conversation_id, user_id) DO UPDATE
    SET role = excluded.role, joined_seq = excluded.joined_seq,
        delivered_seq = excluded.delivered_seq, read_seq = excluded.read_seq,
        joined_at = excluded.joined_at, left_seq = NULL, muted_until = NULL, archived = false,
        pinned = false, hidden_seq = NULL
), locked AS (
    SELECT user_id FROM members
    WHERE conversation_id = $1 AND left_seq IS NULL
        AND (user_id = ANY ($11::uuid[]) OR user_id = $12)
    ORDER BY user_id
    FOR NO KEY UPDATE
), departed AS (
    UPDATE members m
    SET left_seq = raised.last_seq
    FROM raised, locked
    WHERE m.conversation_id = raised.id AND m.user_id = locked.user_id
        AND m.user_id = ANY ($11::uuid[])
), promoted AS (
    UPDATE members m
    SET role = $13
    FROM raised, locked
    WHERE m.conversation_id = raised.id AND m.user_id = locked.user_id AND m.user_id = $12
), stored AS (
    INSERT INTO messages (conversation_id, seq, rev, client_id, sender_id, kind, event, created_at)
    SELECT raised.id, raised.base + said.place, raised.base + said.place, said.client_id, $2,
        'system', said.event, $3
    FROM raised
    CROSS JOIN unnest($8::uuid[], $9::jsonb[]) WITH ORDINALITY AS said (client_id, event, place)
), copied AS (
    -- In the order in which they are confirmed.
    INSERT INTO membership_changes (conversation_id, user_id, is_active, version)
    SELECT raised.id, change.user_id, change.is_active, raised.last_seq
    FROM raised
    CROSS JOIN (
        SELECT id AS user_id, true AS is_active FROM unnest($10::uuid[]) AS j (id)
        UNION ALL
        SELECT id, false FROM unnest($11::uuid[]) AS l (id)
        ORDER BY user_id
    ) change
    ON CONFLICT (conversation_id, user_id) DO UPDATE
    SET is_active = excluded.is_active, version = excluded.version,
        changed_at = clock_timestamp()
), used AS (
    UPDATE invites SET uses = uses + 1 WHERE id = $14
), revoked AS (
    UPDATE invites SET revoked_at = $3
    WHERE conversation_id = $1 AND revoked_at IS NULL AND ($15 OR creator_id = $16)
)
SELECT changed_at, last_seq FROM raised
