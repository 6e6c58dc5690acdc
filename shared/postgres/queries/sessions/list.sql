-- A user's sessions that can still be refreshed, last used first. A session that was refreshed
-- has a token that was not used yet.
--
-- $1 user id, $2 now, $3 rows at most.
-- Row: id, device_name, address, created_at, last_used_at. None to $3.
SELECT id, device_name, address, created_at, last_used_at
FROM sessions
WHERE user_id = $1 AND revoked_at IS NULL AND EXISTS (
    SELECT FROM refresh_tokens
    WHERE session_id = sessions.id AND spent_at IS NULL AND expires_at > $2
)
ORDER BY last_used_at DESC, id DESC
LIMIT $3
