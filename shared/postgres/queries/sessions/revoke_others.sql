-- Ends all sessions of a user but one.
--
-- $1 user id, $2 session id that stays, $3 now. Row: id. One for each that ended.
UPDATE sessions SET revoked_at = $3
WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL
RETURNING id
