-- Begins to set up a second factor, or begins again; one that is on stays.
--
-- $1 user id, $2 sealed secret. Row: user_id. One, or none when one is on or the account has ended.
WITH account AS (
    SELECT id FROM users WHERE id = $1 AND erased_at IS NULL FOR KEY SHARE
)
INSERT INTO two_factor (user_id, sealed_secret)
SELECT account.id, $2 FROM account
ON CONFLICT (user_id) DO UPDATE
SET sealed_secret = excluded.sealed_secret
WHERE NOT two_factor.is_on
RETURNING user_id
