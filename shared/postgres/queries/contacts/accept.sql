-- Accepts a request, under the lock of lock_by_request.sql.
--
-- $1 who was asked, $2 id of the request, $3 now, $4 contacts of one person at most.
-- Row: is_full; id, from_id, to_id, created_at of the request. One, or none when no such request
-- waits for them. When it is full, nothing was changed.
WITH request AS (
    SELECT id, from_id, to_id, created_at,
        (SELECT count(*) FROM contacts WHERE user_id = from_id) >= $4
            OR (SELECT count(*) FROM contacts WHERE user_id = to_id) >= $4 AS is_full
    FROM contact_requests
    WHERE id = $2 AND to_id = $1
), answered AS (
    DELETE FROM contact_requests
    USING request
    WHERE contact_requests.id = request.id AND NOT request.is_full
    RETURNING contact_requests.from_id, contact_requests.to_id
), met AS (
    INSERT INTO contacts (user_id, contact_id, since)
    SELECT pair.user_id, pair.contact_id, $3
    FROM answered
    CROSS JOIN LATERAL (
        VALUES (answered.from_id, answered.to_id), (answered.to_id, answered.from_id)
    ) AS pair (user_id, contact_id)
)
-- Who takes it back takes no lock of people: what this statement saw may be gone when it deletes.
SELECT is_full, id, from_id, to_id, created_at
FROM request
WHERE is_full OR EXISTS (SELECT FROM answered)
