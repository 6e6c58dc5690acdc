-- The same password hashed anew, unless it was changed meanwhile.
--
-- $1 user id, $2 the hash that it has, $3 the new one. Row: id.
-- One, or none when it was changed.
UPDATE users SET password_hash = $3
WHERE id = $1 AND password_hash = $2 AND erased_at IS NULL
RETURNING id
