-- What changed for a user since a time, in the order of the conversations' ids, and what they left
-- or hid.
--
-- The statement's time is in every row. No commit that this snapshot lacks can have touched a
-- row before that time less the overlap: a statement, and an idle transaction, end after 10 s.
--
-- $1 user id, $2 changed at this time or later, or null for everything there is; $3 the id of the
-- last row before this page or null, $4 rows at most, $5 unread messages counted at most, $6
-- messages looked at for that.
-- Row: read_at, is_removed (null when nothing changed); then as list.sql, or only id for what was
-- left or hidden. One to $4.
WITH my AS (
    -- Two parts, because each of the two indexes has one of them.
    SELECT m.*,
        m.hidden_seq IS NOT NULL AND NOT EXISTS (
            SELECT FROM messages
            WHERE conversation_id = m.conversation_id AND seq > m.hidden_seq
        ) AS is_removed
    FROM members m
    WHERE m.user_id = $1 AND m.left_seq IS NULL
    UNION ALL
    SELECT m.*, true FROM members m
    WHERE m.user_id = $1 AND m.left_seq IS NOT NULL AND m.changed_at >= $2
), page AS (
    SELECT c.*, my.is_removed, my.role AS my_role,
        my.joined_seq AS my_joined_seq, my.delivered_seq AS my_delivered_seq,
        my.read_seq AS my_read_seq, my.muted_until AS my_muted_until,
        my.archived AS my_archived, my.pinned AS my_pinned
    FROM my
    JOIN conversations c ON c.id = my.conversation_id
    WHERE CASE
            -- Who begins with everything has nothing to take away.
            WHEN my.is_removed THEN my.changed_at >= $2
            ELSE $2::timestamptz IS NULL OR c.touched_at >= $2 OR my.changed_at >= $2
        END
        AND ($3::uuid IS NULL OR c.id > $3)
    ORDER BY c.id
    LIMIT $4
)
SELECT here.read_at, c.is_removed, c.id, c.type, c.title, c.description, c.avatar_url,
    c.shares_history, c.created_by, c.created_at, c.changed_at, c.last_seq, c.my_role,
    c.my_joined_seq, c.my_delivered_seq, c.my_read_seq, c.my_muted_until, c.my_archived,
    c.my_pinned,
    glance.*
FROM (SELECT now() AS read_at) here
LEFT JOIN page c ON true
LEFT JOIN LATERAL glance_at_conversation(
    c.id, $1, c.my_joined_seq, c.my_read_seq, $5, $6
) glance ON NOT c.is_removed
ORDER BY c.id
