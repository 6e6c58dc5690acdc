-- A user's second factor.
--
-- $1 user id. Row: sealed_secret, is_on. One, or none.
SELECT sealed_secret, is_on FROM two_factor WHERE user_id = $1
