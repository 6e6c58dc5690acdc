-- What a user reacted with, for themselves, along the index of it.
--
-- $1 user id, $2 and $4 conversation id and rev of the last row before this part or null, $3 rows
-- at most.
-- Row: key, within, and everything as text. None to $3, in the order of the two.
SELECT conversation_id AS key, rev AS within, conversation_id::text AS conversation_id,
    seq::text AS seq, emoji,
    to_char(reacted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS reacted_at
FROM reactions
WHERE user_id = $1 AND (conversation_id, rev) > (
    coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid), coalesce($4, 0)
)
ORDER BY key, within
LIMIT $3
