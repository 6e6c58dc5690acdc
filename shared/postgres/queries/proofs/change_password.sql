-- Sets the password and ends all sessions but one; a token that waits to reset it is worth nothing.
--
-- $1 user id, $2 session id that stays, $3 password hash, $4 now.
-- Row: id of a session that ended. None to all.
WITH changed AS (
    UPDATE users SET password_hash = $3 WHERE id = $1 AND erased_at IS NULL
    RETURNING id
), withdrawn AS (
    DELETE FROM mail_tokens USING changed
    WHERE mail_tokens.user_id = changed.id AND purpose = 'reset_password'
)
UPDATE sessions SET revoked_at = $4
FROM changed
WHERE sessions.user_id = changed.id AND sessions.id <> $2 AND sessions.revoked_at IS NULL
RETURNING sessions.id
