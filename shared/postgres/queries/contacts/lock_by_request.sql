-- As lock_people.sql, of the two of a request.
--
-- $1 id of the request. Row: id. Two, or none.
SELECT id FROM users
WHERE id IN (
    SELECT unnest(ARRAY[from_id, to_id]) FROM contact_requests WHERE contact_requests.id = $1
)
ORDER BY id
FOR NO KEY UPDATE
