-- Locks the account whose password a token resets next. As lock_account.sql.
--
-- $1 digest. Row: id. One, or none for an unknown or spent token.
SELECT u.id
FROM mail_tokens token
JOIN users u ON u.id = token.user_id
WHERE token.digest = $1
FOR NO KEY UPDATE OF u
