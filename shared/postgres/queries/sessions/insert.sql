-- A session and its first refresh token: both or neither. The account is locked, so that none is
-- opened for one that ends at the same time.
--
-- $1 id, $2 user id, $3 device name or null, $4 address or null, $5 created at,
-- $6 digest of the refresh token, $7 when that expires.
-- Row: session_id. One, or none for an account that has ended.
WITH account AS (
    SELECT id FROM users WHERE id = $2 AND erased_at IS NULL FOR KEY SHARE
), session AS (
    INSERT INTO sessions (id, user_id, device_name, address, created_at, last_used_at)
    SELECT $1, account.id, $3, $4, $5, $5 FROM account
    RETURNING id
)
INSERT INTO refresh_tokens (digest, session_id, expires_at)
SELECT $6, session.id, $7 FROM session
RETURNING session_id
