-- Whether a user name is taken.
--
-- $1 username. Row: username. One, or none when it is free.
SELECT username FROM users WHERE username = $1
