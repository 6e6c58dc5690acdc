-- Whom a user blocks, for themselves.
--
-- $1 user id, $2 key of the last row before this part or null, $3 rows at most.
-- Row: key, and everything as text. None to $3, in the order of keys.
SELECT blocked_id AS key, blocked_id::text AS user_id, username::text,
    to_char(blocks.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
FROM blocks
JOIN users ON users.id = blocks.blocked_id
WHERE blocker_id = $1 AND ($2::uuid IS NULL OR blocked_id > $2)
ORDER BY blocked_id
LIMIT $3
