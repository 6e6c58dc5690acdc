-- A session and its first refresh token: both or neither.
--
-- $1 id, $2 user id, $3 device name or null, $4 address or null, $5 created at,
-- $6 digest of the refresh token, $7 when that expires.
-- Row: session_id. Exactly one.
WITH session AS (
    INSERT INTO sessions (id, user_id, device_name, address, created_at, last_used_at)
    VALUES ($1, $2, $3, $4, $5, $5)
    RETURNING id
)
INSERT INTO refresh_tokens (digest, session_id, expires_at)
SELECT $6, session.id, $7 FROM session
RETURNING session_id
