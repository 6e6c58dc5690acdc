-- Accepts a request, under the lock of lock_by_request.sql.
--
-- $1 who was asked, $2 id of the request, $3 now, $4 contacts of one person at most.
-- Row: is_full; id, from_id, to_id, created_at of the request. One, or none when no such request
-- waits for them. When it is full, nothing was changed.
WITH waiting AS (
    -- Locked as well: the sweep, which forgets old requests, locks no people.
    SELECT id, from_id, to_id, created_at FROM contact_requests
    WHERE id = $2 AND to_id = $1
    FOR UPDATE
), request AS (
    SELECT id, from_id, to_id, created_at,
        (SELECT count(*) FROM contacts WHERE user_id = from_id) >= $4
            OR (SELECT count(*) FROM contacts WHERE user_id = to_id) >= $4 AS is_full
    FROM waiting
), answered AS (
    DELETE FROM contact_requests
    USING request
    WHERE contact_requests.id = request.id AND NOT request.is_full
), met AS (
    INSERT INTO contacts (user_id, contact_id, since)
    SELECT pair.user_id, pair.contact_id, $3
    FROM request
    CROSS JOIN LATERAL (
        VALUES (request.from_id, request.to_id), (request.to_id, request.from_id)
    ) AS pair (user_id, contact_id)
    WHERE NOT request.is_full
)
SELECT is_full, id, from_id, to_id, created_at FROM request
