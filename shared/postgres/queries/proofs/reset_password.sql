-- Spends a token, sets the password and ends all sessions. As verify_email.sql, under the lock of
-- lock_by_token.sql.
--
-- $1 digest, $2 now, $3 password hash.
-- Row: id, session_ids uuid[] (those that ended). One, or none for an unknown, spent or expired
-- token.
WITH account AS (
    SELECT u.id
    FROM mail_tokens token
    JOIN users u ON u.id = token.user_id
    WHERE token.digest = $1 AND token.purpose = 'reset_password' AND token.expires_at > $2
        AND u.erased_at IS NULL
    FOR NO KEY UPDATE OF u
), spent AS (
    DELETE FROM mail_tokens token
    USING account
    WHERE token.user_id = account.id AND token.digest = $1
    RETURNING token.user_id
), changed AS (
    UPDATE users SET password_hash = $3 FROM spent WHERE users.id = spent.user_id
    RETURNING users.id
), ended AS (
    UPDATE sessions SET revoked_at = $2
    FROM changed
    WHERE sessions.user_id = changed.id AND sessions.revoked_at IS NULL
    RETURNING sessions.id
)
SELECT changed.id, ARRAY(SELECT id FROM ended) AS session_ids FROM changed
