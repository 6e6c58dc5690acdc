-- All of a user's sessions that are kept, for themselves.
--
-- $1 user id, $2 key of the last row before this part or null, $3 rows at most.
-- Row: key, and everything as text. None to $3, in the order of ids.
SELECT id AS key, id::text AS id, device_name, address,
    to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
    to_char(last_used_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_used_at,
    to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS revoked_at
FROM sessions
WHERE user_id = $1 AND ($2::uuid IS NULL OR id > $2)
ORDER BY key
LIMIT $3
