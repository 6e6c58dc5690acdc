-- Changes what a person says of themselves; null leaves a value as it is.
--
-- $1 user id, $2 display name, $3 bio, $4 shares receipts, $5 shares when last seen,
-- $6 whether the picture changes, $7 its address or null for none.
-- Row: the account after the change. One, or none when there is no such account or it has ended.
UPDATE users
SET display_name = coalesce($2, display_name),
    bio = coalesce($3, bio),
    share_receipts = coalesce($4, share_receipts),
    share_last_seen = coalesce($5, share_last_seen),
    avatar_url = CASE WHEN $6 THEN $7 ELSE avatar_url END
WHERE id = $1 AND erased_at IS NULL
RETURNING id, username, email, email_verified, display_name, bio, avatar_url, share_receipts,
    share_last_seen, created_at
