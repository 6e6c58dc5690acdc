-- Forgets sessions whose sockets are ended, with the last of an account that has ended.
--
-- $1 session ids. Row: none.
DELETE FROM sessions
USING users
WHERE sessions.id = ANY ($1) AND users.id = sessions.user_id AND users.erased_at IS NOT NULL
