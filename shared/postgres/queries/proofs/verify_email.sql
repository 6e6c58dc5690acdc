-- Spends a token and marks the address as verified. The account is locked first, as everybody
-- does who changes it; of two with one token, the second finds no row to take away.
--
-- $1 digest, $2 now. Row: id. One, or none for an unknown, spent or expired token.
WITH account AS (
    SELECT u.id
    FROM mail_tokens token
    JOIN users u ON u.id = token.user_id
    WHERE token.digest = $1 AND token.purpose = 'verify_email' AND token.expires_at > $2
        AND u.erased_at IS NULL
    FOR NO KEY UPDATE OF u
), spent AS (
    DELETE FROM mail_tokens token
    USING account
    WHERE token.user_id = account.id AND token.digest = $1
    RETURNING token.user_id
)
UPDATE users SET email_verified = true FROM spent WHERE users.id = spent.user_id RETURNING users.id
