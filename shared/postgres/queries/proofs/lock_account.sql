-- Locks an account whose password is set next. In a statement of its own: the one after it sees
-- the sessions that were opened while this one waited.
--
-- $1 user id. Row: id. One, or none.
SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE
