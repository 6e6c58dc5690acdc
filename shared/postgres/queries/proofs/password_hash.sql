-- The password's hash, for the sign-in path only.
--
-- $1 user id. Row: password_hash. One, or none for an account that has ended.
SELECT password_hash FROM users WHERE id = $1 AND erased_at IS NULL
