-- One account; of one that has ended, what is left in its place.
--
-- $1 user id. Row: the account without its password. One, or none.
SELECT id, username, email, email_verified, display_name, bio, avatar_url, share_receipts,
    share_last_seen, created_at
FROM users
WHERE id = $1
