-- Who signs in with this user name, for the sign-in path only.
--
-- $1 username, in lower case. Row: the account and password_hash. One, or none; none for an
-- account that has ended.
SELECT id, username, email, email_verified, display_name, bio, avatar_url, share_receipts,
    share_last_seen, created_at, password_hash
FROM users
WHERE username = $1 AND erased_at IS NULL
