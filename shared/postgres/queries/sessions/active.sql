-- Whether a session is this user's and has not ended.
--
-- $1 session id, $2 user id. Row: id. One, or none.
SELECT id FROM sessions WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL
