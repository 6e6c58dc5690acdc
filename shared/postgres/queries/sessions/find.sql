-- One session, whether it has ended or not.
--
-- $1 session id, $2 user id.
-- Row: id, device_name, address, created_at, last_used_at. One, or none when there is no such
-- session (any more), or the account has ended.
SELECT sessions.id, device_name, address, sessions.created_at, last_used_at
FROM sessions
JOIN users ON users.id = sessions.user_id AND users.erased_at IS NULL
WHERE sessions.id = $1 AND user_id = $2
