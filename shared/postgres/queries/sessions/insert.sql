-- A session and its first refresh token: both or neither. The account is locked, so that none is
-- opened for one that ends at the same time, or with a password that is replaced at the same time.
-- FOR SHARE waits for who sets a password, and then looks at the row again.
--
-- $1 id, $2 user id, $3 device name or null, $4 address or null, $5 created at,
-- $6 digest of the refresh token, $7 when that expires, $8 the password's hash.
-- Row: session_id. One, or none for an account that has ended or has another password.
WITH account AS (
    SELECT id FROM users WHERE id = $2 AND erased_at IS NULL AND password_hash = $8 FOR SHARE
), session AS (
    INSERT INTO sessions (id, user_id, device_name, address, created_at, last_used_at)
    SELECT $1, account.id, $3, $4, $5, $5 FROM account
    RETURNING id
)
INSERT INTO refresh_tokens (digest, session_id, expires_at)
SELECT $6, session.id, $7 FROM session
RETURNING session_id
