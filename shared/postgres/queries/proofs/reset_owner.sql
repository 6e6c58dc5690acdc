-- Whose password a token would reset. Spends nothing.
--
-- $1 digest, $2 now. Row: the account without its password. One, or none for an unknown, spent or
-- expired token.
SELECT u.id, u.username, u.email, u.email_verified, u.display_name, u.bio, u.avatar_url,
    u.share_receipts, u.share_last_seen, u.created_at
FROM mail_tokens token
JOIN users u ON u.id = token.user_id
WHERE token.digest = $1 AND token.purpose = 'reset_password' AND token.expires_at > $2
    AND u.erased_at IS NULL
