-- A user's contacts and the requests that wait, for themselves. Those who asked and the contacts
-- never overlap, so one key is enough.
--
-- $1 user id, $2 key of the last row before this part or null, $3 rows at most.
-- Row: key, and everything as text. None to $3, in the order of keys.
SELECT key, key::text AS user_id, status, username::text,
    to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS since
FROM (
    SELECT contact_id AS key, 'contacts' AS status, since FROM contacts WHERE user_id = $1
    UNION ALL
    SELECT to_id, 'requested_by_me', created_at FROM contact_requests WHERE from_id = $1
    UNION ALL
    SELECT from_id, 'requested_by_them', created_at FROM contact_requests WHERE to_id = $1
) known
JOIN users ON users.id = known.key
WHERE $2::uuid IS NULL OR key > $2
ORDER BY key
LIMIT $3
