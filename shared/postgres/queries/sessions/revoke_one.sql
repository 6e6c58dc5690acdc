-- Ends a session of this user.
--
-- $1 session id, $2 user id, $3 now. Row: id. One, or none when they have no such session, or it
-- has ended.
UPDATE sessions SET revoked_at = $3
WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL
RETURNING id
