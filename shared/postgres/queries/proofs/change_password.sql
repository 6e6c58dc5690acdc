-- Sets the password and ends all sessions but one; a token that waits to reset it is worth nothing.
-- Under the lock of lock_account.sql.
--
-- $1 user id, $2 session id that stays, $3 the hash that was proven, $4 the new one, $5 now,
-- $6 sessions that ended since then are told again, $7 so many of them at most.
-- Row: id, session_ids uuid[] (those that ended now or lately). One, or none when the password is
-- another one by now, or the account or the session has ended.
WITH changed AS (
    UPDATE users SET password_hash = $4
    WHERE id = $1 AND password_hash = $3 AND erased_at IS NULL AND EXISTS (
        SELECT FROM sessions WHERE id = $2 AND user_id = $1 AND revoked_at IS NULL
    )
    RETURNING id
), withdrawn AS (
    DELETE FROM mail_tokens USING changed
    WHERE mail_tokens.user_id = changed.id AND purpose = 'reset_password'
), ended AS (
    UPDATE sessions SET revoked_at = $5
    FROM changed
    WHERE sessions.user_id = changed.id AND sessions.id <> $2 AND sessions.revoked_at IS NULL
    RETURNING sessions.id
), lately AS (
    SELECT sessions.id FROM sessions JOIN changed ON sessions.user_id = changed.id
    WHERE sessions.revoked_at > $6
    ORDER BY sessions.revoked_at DESC
    LIMIT $7
)
SELECT changed.id, ARRAY(SELECT id FROM ended UNION ALL SELECT id FROM lately) AS session_ids
FROM changed
