-- Requests that wait, to a user and from them, newest first.
--
-- $1 user id, $2 and $3 created_at and id of the last row before this page or null, $4 rows at
-- most.
-- Row: id, from_id, to_id, created_at. None to $4.
SELECT id, from_id, to_id, created_at
FROM contact_requests
WHERE (from_id = $1 OR to_id = $1)
    AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $4
