-- A conversation that was just opened or was there before, with its members.
--
-- $1 id of a direct one, or null; $2 creator and $3 client_id of a group, or null.
-- Row: the conversation, member_count, member_ids uuid[] (active, in the order they joined).
-- One, or none when nothing was opened.
SELECT c.id, c.type, c.title, c.description, c.avatar_url, c.shares_history, c.created_by,
    c.created_at, c.changed_at, c.last_seq,
    coalesce(cardinality(m.ids), 0)::bigint AS member_count,
    coalesce(m.ids, '{}') AS member_ids
FROM conversations c
CROSS JOIN LATERAL (
    SELECT array_agg(user_id ORDER BY joined_at, user_id) AS ids
    FROM members
    WHERE conversation_id = c.id AND left_seq IS NULL
) m
WHERE c.id = $1 OR (c.created_by = $2 AND c.client_id = $3)
