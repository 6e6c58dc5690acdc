-- An account and its first session with its refresh token: all or nothing.
--
-- $1 id, $2 username, $3 email, $4 display name, $5 password hash, $6 created at,
-- $7 session id, $8 device name or null, $9 address or null,
-- $10 digest of the refresh token, $11 when that expires.
-- Row: nothing of use. Exactly one, or a violation of users_username_key or users_email_key.
WITH account AS (
    INSERT INTO users (id, username, email, display_name, password_hash, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    RETURNING id
), session AS (
    INSERT INTO sessions (id, user_id, device_name, address, created_at, last_used_at)
    SELECT $7, account.id, $8, $9, $6, $6 FROM account
    RETURNING id
)
INSERT INTO refresh_tokens (digest, session_id, expires_at)
SELECT $10, session.id, $11 FROM session
RETURNING session_id
