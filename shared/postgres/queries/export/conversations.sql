-- The conversations that a user is or was in, for themselves. The title of one that they left is
-- not told: it may have changed since.
--
-- $1 user id, $2 key of the last row before this part or null, $3 rows at most.
-- Row: key, and everything as text. None to $3, in the order of keys.
SELECT c.id AS key, c.id::text AS conversation_id, c.type,
    CASE WHEN my.left_seq IS NULL THEN c.title END AS title, my.role,
    to_char(my.joined_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS joined_at,
    (my.left_seq IS NULL)::text AS is_member,
    to_char(my.muted_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS muted_until,
    my.archived::text AS archived, my.pinned::text AS pinned
FROM members my
JOIN conversations c ON c.id = my.conversation_id
-- As two parts, because each of the two indexes has one of them.
WHERE ((my.user_id = $1 AND my.left_seq IS NULL) OR (my.user_id = $1 AND my.left_seq IS NOT NULL))
    AND ($2::uuid IS NULL OR c.id > $2)
ORDER BY c.id
LIMIT $3
