-- What an account says of itself, for its owner.
--
-- $1 user id, $2 null, $3 rows at most: as the other sections; there is one row.
-- Row: everything as text. One, or none for an account that has ended.
SELECT id AS key, id::text AS id, username::text, email::text, email_verified::text, display_name,
    bio, avatar_url, share_receipts::text, share_last_seen::text,
    (
        SELECT is_on FROM two_factor WHERE user_id = users.id
    )::text AS two_factor,
    to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
FROM users
WHERE id = $1 AND erased_at IS NULL AND ($2::uuid IS NULL OR id > $2)
LIMIT $3
