-- How far a user has got in each conversation, for themselves.
--
-- $1 user id, $2 key of the last row before this part or null, $3 rows at most.
-- Row: key, and everything as text. None to $3, in the order of keys.
SELECT conversation_id AS key, conversation_id::text, delivered_seq::text AS delivered,
    read_seq::text AS read
FROM members
-- As two parts, because each of the two indexes has one of them.
WHERE ((user_id = $1 AND left_seq IS NULL) OR (user_id = $1 AND left_seq IS NOT NULL))
    AND ($2::uuid IS NULL OR conversation_id > $2)
ORDER BY key
LIMIT $3
