-- Locks an account for its end: everybody waits who would write something for it.
--
-- $1 user id. Row: id. One, or none.
SELECT id FROM users WHERE id = $1 FOR UPDATE
