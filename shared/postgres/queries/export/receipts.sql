-- How far a user has got in each conversation, for themselves.
--
-- $1 user id, $2 key of the last row before this part or null, $3 rows at most.
-- Row: key, and everything as text. None to $3, in the order of keys.
SELECT conversation_id AS key, conversation_id::text, delivered_seq::text AS delivered,
    read_seq::text AS read
FROM members
WHERE user_id = $1 AND ($2::uuid IS NULL OR conversation_id > $2)
ORDER BY conversation_id
LIMIT $3
