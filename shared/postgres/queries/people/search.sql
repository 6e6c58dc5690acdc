-- People whose user name or display name begins so, by user name, without those with a block
-- between. Each name has an index that finds its beginnings.
--
-- $1 user id of who asks, $2 the beginning in lower case as a pattern of LIKE, $3 user name of the
-- last row before this page or null, $4 rows at most.
-- Row: the account without its password. None to $4.
SELECT u.id, u.username, u.email, u.email_verified, u.display_name, u.bio, u.avatar_url,
    u.share_receipts, u.share_last_seen, u.created_at
FROM users u
WHERE u.erased_at IS NULL
    AND (u.username LIKE $2 OR lower(u.display_name) LIKE $2)
    AND ($3::text IS NULL OR u.username > $3)
    AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = $1 AND blocked_id = u.id)
    AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = u.id AND blocked_id = $1)
ORDER BY u.username
LIMIT $4
