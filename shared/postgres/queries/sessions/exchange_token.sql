-- Exchanges a refresh token, under the lock of lock_by_token.sql. The first use stays recorded,
-- and what is expired in the family is cleared away, so that a family cannot grow for ever.
--
-- $1 session id, $2 presented digest, $3 new digest, $4 when the new one expires, $5 now.
-- Row: session_id. Exactly one.
WITH used AS (
    UPDATE sessions SET last_used_at = greatest(last_used_at, $5) WHERE id = $1
), spent AS (
    UPDATE refresh_tokens SET spent_at = $5 WHERE digest = $2 AND spent_at IS NULL
), cleared AS (
    DELETE FROM refresh_tokens WHERE session_id = $1 AND digest <> $2 AND expires_at <= $5
)
INSERT INTO refresh_tokens (digest, session_id, expires_at)
VALUES ($3, $1, $4)
RETURNING session_id
