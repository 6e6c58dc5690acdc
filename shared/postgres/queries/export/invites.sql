-- The invites that a user made, for themselves; not their tokens, which nobody has.
--
-- $1 user id, $2 key of the last row before this part or null, $3 rows at most.
-- Row: key, and everything as text. None to $3, in the order of keys.
SELECT id AS key, id::text AS id, conversation_id::text AS conversation_id, uses::text AS uses,
    max_uses::text AS max_uses,
    to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
    to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS expires_at,
    to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS revoked_at
FROM invites
WHERE creator_id = $1 AND ($2::uuid IS NULL OR id > $2)
ORDER BY key
LIMIT $3
