-- Spends a token, sets the password, marks the address as verified, since the token came by its
-- mailbox, and ends all sessions. As verify_email.sql, under the lock of
-- lock_by_token.sql.
--
-- $1 digest, $2 now, $3 password hash, $4 sessions that ended since then are told again,
-- $5 so many of them at most.
-- Row: id, session_ids uuid[] (those that ended now or lately). One, or none for an unknown, spent
-- or expired token.
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
    UPDATE users SET password_hash = $3, email_verified = true
    FROM spent WHERE users.id = spent.user_id
    RETURNING users.id
), ended AS (
    UPDATE sessions SET revoked_at = $2
    FROM changed
    WHERE sessions.user_id = changed.id AND sessions.revoked_at IS NULL
    RETURNING sessions.id
), lately AS (
    SELECT sessions.id FROM sessions JOIN changed ON sessions.user_id = changed.id
    WHERE sessions.revoked_at > $4
    ORDER BY sessions.revoked_at DESC
    LIMIT $5
)
SELECT changed.id, ARRAY(SELECT id FROM ended UNION ALL SELECT id FROM lately) AS session_ids
FROM changed
