-- A user's contacts by user name.
--
-- $1 user id, $2 user name of the last row before this page or null, $3 rows at most.
-- Row: the account without its password. None to $3.
SELECT u.id, u.username, u.email, u.email_verified, u.display_name, u.bio, u.avatar_url,
    u.share_receipts, u.share_last_seen, u.created_at
FROM contacts
JOIN users u ON u.id = contacts.contact_id
WHERE contacts.user_id = $1 AND ($2::text IS NULL OR u.username > $2)
ORDER BY u.username
LIMIT $3
