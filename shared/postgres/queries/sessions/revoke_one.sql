-- Ends a session of this user. The first end stays recorded.
--
-- $1 session id, $2 user id, $3 now. Row: id. One, also for one that had ended before, or none
-- when they have no such session.
UPDATE sessions SET revoked_at = coalesce(revoked_at, $3)
WHERE id = $1 AND user_id = $2
RETURNING id
