-- Ends a session. The first end stays recorded; an unknown session is fine.
--
-- $1 session id, $2 now. Row: id. One, or none when it had ended before.
UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id
