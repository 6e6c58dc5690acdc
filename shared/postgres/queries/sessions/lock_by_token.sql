-- What is known of a presented refresh token, with its session and itself locked: of two who
-- present it at once, the second sees what the first did.
--
-- $1 digest. Row: session_id, user_id, revoked_at, expires_at, spent_at. One, or none.
SELECT s.id AS session_id, s.user_id, s.revoked_at, t.expires_at, t.spent_at
FROM refresh_tokens t
JOIN sessions s ON s.id = t.session_id
WHERE t.digest = $1
FOR UPDATE OF s, t
