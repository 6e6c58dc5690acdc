-- Whose session a refresh token belongs to, spent or not.
--
-- $1 digest, $2 now. Row: user_id. One, or none for a token that is unknown, expired or revoked.
SELECT s.user_id
FROM refresh_tokens t
JOIN sessions s ON s.id = t.session_id
WHERE t.digest = $1 AND t.expires_at > $2 AND s.revoked_at IS NULL
