-- Turns the second factor off; the recovery codes go with it. Under the lock of
-- proofs/lock_account.sql.
--
-- $1 user id, $2 session id of who does it, $3 the hash that was proven.
-- Row: id. One, or none when the password is another one by now, or the account or the session has
-- ended.
WITH proven AS (
    SELECT id FROM users
    WHERE id = $1 AND password_hash = $3 AND erased_at IS NULL AND EXISTS (
        SELECT FROM sessions WHERE id = $2 AND user_id = $1 AND revoked_at IS NULL
    )
), gone AS (
    DELETE FROM two_factor USING proven WHERE user_id = proven.id
)
SELECT id FROM proven
