-- The conversations that a user is in, a part of them.
--
-- $1 user id, $2 rows at most. Row: conversation_id. None to $2, in the order of ids.
SELECT conversation_id FROM members
WHERE user_id = $1 AND left_seq IS NULL
ORDER BY conversation_id
LIMIT $2
