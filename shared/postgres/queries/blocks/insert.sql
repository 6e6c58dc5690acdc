-- Blocks somebody, under the lock of contacts/lock_people.sql; what else the two were to each
-- other ends.
--
-- $1 who blocks, $2 who is blocked, $3 now, $4 people whom one person blocks at most.
-- Row: verdict ('unknown', 'known', 'full', 'blocked'). Exactly one.
WITH judged AS (
    SELECT CASE
        WHEN (SELECT count(*) FROM users WHERE id IN ($1, $2) AND erased_at IS NULL) < 2
            THEN 'unknown'
        WHEN EXISTS (SELECT FROM blocks WHERE blocker_id = $1 AND blocked_id = $2) THEN 'known'
        WHEN (SELECT count(*) FROM blocks WHERE blocker_id = $1) >= $4 THEN 'full'
        ELSE 'blocked'
    END AS verdict
), blocked AS (
    INSERT INTO blocks (blocker_id, blocked_id, created_at)
    SELECT $1, $2, $3 FROM judged WHERE verdict = 'blocked'
), parted AS (
    DELETE FROM contacts
    USING judged
    WHERE judged.verdict = 'blocked' AND (user_id, contact_id) IN (($1, $2), ($2, $1))
), withdrawn AS (
    DELETE FROM contact_requests
    USING judged
    WHERE judged.verdict = 'blocked' AND (from_id, to_id) IN (($1, $2), ($2, $1))
)
SELECT verdict FROM judged
