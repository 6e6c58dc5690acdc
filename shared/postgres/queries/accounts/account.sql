-- One account that has not ended.
--
-- $1 user id. Row: the account without its password. One, or none.
SELECT id, username, email, email_verified, display_name, bio, avatar_url, share_receipts,
    share_last_seen, created_at
FROM users
WHERE id = $1 AND erased_at IS NULL
