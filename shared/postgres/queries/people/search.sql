-- People whose user name or display name begins so, by user name, without those with a block
-- between. Two parts, because each name has an index that finds its beginnings; in one, the whole
-- list of user names would be walked until enough of them fit. Of display names the first so many
-- count, by themselves: two letters are the beginning of thousands, and the next letter tells them
-- apart.
--
-- $1 user id of who asks, $2 the beginning in lower case as a pattern of LIKE, $3 user name of the
-- last row before this page or null, $4 rows at most, $5 display names at most.
-- Row: the account without its password. None to $4.
WITH barred AS (
    SELECT blocked_id AS id FROM blocks WHERE blocker_id = $1
    UNION ALL
    SELECT blocker_id FROM blocks WHERE blocked_id = $1
), found AS (
    (
        SELECT id FROM users
        WHERE erased_at IS NULL AND username LIKE $2 AND ($3::text IS NULL OR username > $3)
            AND id NOT IN (SELECT id FROM barred)
        ORDER BY username
        LIMIT $4
    )
    UNION
    (
        SELECT id FROM (
            SELECT id, username FROM users
            WHERE erased_at IS NULL AND lower(display_name) LIKE $2
            -- As the index has them.
            ORDER BY lower(display_name) USING ~<~
            LIMIT $5
        ) named
        WHERE ($3::text IS NULL OR username > $3) AND id NOT IN (SELECT id FROM barred)
        ORDER BY username
        LIMIT $4
    )
)
SELECT u.id, u.username, u.email, u.email_verified, u.display_name, u.bio, u.avatar_url,
    u.share_receipts, u.share_last_seen, u.created_at
FROM found
JOIN users u USING (id)
ORDER BY u.username
LIMIT $4
