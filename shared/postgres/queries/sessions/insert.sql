-- A session and its first refresh token: both or neither. The account is locked, so that none is
-- opened for one that ends at the same time, or with a password that is replaced at the same time.
-- FOR SHARE waits for who sets a password, and then looks at the row again. Where the user has
-- too many, those end that were not used for the longest time; they are locked in the order of
-- their ids, so that of two who sign in at once none waits for the other for ever.
--
-- $1 id, $2 user id, $3 device name or null, $4 address or null, $5 created at,
-- $6 digest of the refresh token, $7 when that expires, $8 the password's hash,
-- $9 other sessions of theirs that may stay.
-- Row: session_id. One, or none for an account that has ended or has another password.
WITH account AS (
    SELECT id FROM users WHERE id = $2 AND erased_at IS NULL AND password_hash = $8 FOR SHARE
), surplus AS (
    SELECT id FROM sessions
    WHERE id IN (
        SELECT other.id FROM sessions other JOIN account ON other.user_id = account.id
        WHERE other.revoked_at IS NULL
        ORDER BY other.last_used_at DESC, other.id DESC
        OFFSET $9
    )
    ORDER BY id
    FOR UPDATE
), ended AS (
    UPDATE sessions SET revoked_at = $5
    FROM surplus
    WHERE sessions.id = surplus.id AND sessions.revoked_at IS NULL
), session AS (
    INSERT INTO sessions (id, user_id, device_name, address, created_at, last_used_at)
    SELECT $1, account.id, $3, $4, $5, $5 FROM account
    RETURNING id
)
INSERT INTO refresh_tokens (digest, session_id, expires_at)
SELECT $6, session.id, $7 FROM session
RETURNING session_id
