-- Gives a token for a mail; the one before of the same kind is worth nothing from now on.
--
-- $1 user id, $2 purpose, $3 digest, $4 expires at. Row: none. For an account that has ended it
-- does nothing.
WITH account AS (
    SELECT id FROM users WHERE id = $1 AND erased_at IS NULL FOR KEY SHARE
)
INSERT INTO mail_tokens (user_id, purpose, digest, expires_at)
SELECT account.id, $2, $3, $4 FROM account
ON CONFLICT (user_id, purpose) DO UPDATE
SET digest = excluded.digest, expires_at = excluded.expires_at
