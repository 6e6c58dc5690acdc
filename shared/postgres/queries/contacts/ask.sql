-- Asks to be somebody's contact, under the lock of lock_people.sql. When the other side has asked
-- already, the two are contacts.
--
-- $1 id of the request, $2 who asks, $3 who is asked, $4 now, $5 contacts of one person at most,
-- $6 requests at most that wait from one person, and for one.
-- Row: verdict ('unknown', 'blocked', 'known', 'waiting', 'full', 'accepted', 'asked'); id,
-- from_id, to_id, created_at of the request that waits or was accepted, else null. Exactly one.
WITH earlier AS (
    SELECT id, from_id, to_id, created_at FROM contact_requests
    WHERE (from_id, to_id) IN (($2, $3), ($3, $2))
    -- The sweep, which forgets old requests, locks no people.
    FOR UPDATE
), judged AS (
    SELECT CASE
        WHEN (SELECT count(*) FROM users WHERE id IN ($2, $3) AND erased_at IS NULL) < 2
            THEN 'unknown'
        WHEN EXISTS (
            SELECT FROM blocks
            WHERE (blocker_id, blocked_id) IN (($2, $3), ($3, $2))
        ) THEN 'blocked'
        WHEN EXISTS (SELECT FROM contacts WHERE user_id = $2 AND contact_id = $3) THEN 'known'
        WHEN EXISTS (SELECT FROM earlier WHERE from_id = $2) THEN 'waiting'
        WHEN (SELECT count(*) FROM contacts WHERE user_id = $2) >= $5
            OR (SELECT count(*) FROM contacts WHERE user_id = $3) >= $5 THEN 'full'
        WHEN EXISTS (SELECT FROM earlier) THEN 'accepted'
        WHEN (SELECT count(*) FROM contact_requests WHERE from_id = $2) >= $6
            OR (SELECT count(*) FROM contact_requests WHERE to_id = $3) >= $6 THEN 'full'
        ELSE 'asked'
    END AS verdict
), asked AS (
    INSERT INTO contact_requests (id, from_id, to_id, created_at)
    SELECT $1, $2, $3, $4 FROM judged WHERE verdict = 'asked'
    RETURNING id, from_id, to_id, created_at
), answered AS (
    DELETE FROM contact_requests
    USING judged
    WHERE judged.verdict = 'accepted' AND from_id = $3 AND to_id = $2
), met AS (
    INSERT INTO contacts (user_id, contact_id, since)
    SELECT pair.user_id, pair.contact_id, $4
    FROM judged
    CROSS JOIN (VALUES ($2, $3), ($3, $2)) AS pair (user_id, contact_id)
    WHERE judged.verdict = 'accepted'
)
SELECT judged.verdict, request.id, request.from_id, request.to_id, request.created_at
FROM judged
LEFT JOIN (
    SELECT * FROM earlier
    UNION ALL
    SELECT * FROM asked
) request ON judged.verdict IN ('waiting', 'accepted', 'asked')
