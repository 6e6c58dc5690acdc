-- Takes away a request that waits, by either side, under the lock of lock_by_request.sql.
--
-- $1 user id, $2 id of the request. Row: id, from_id, to_id, created_at. One, or none.
DELETE FROM contact_requests
WHERE id = $2 AND (from_id = $1 OR to_id = $1)
RETURNING id, from_id, to_id, created_at
