-- Uses the code of a time step. Of two at once, the second finds the step used.
--
-- $1 user id, $2 time step. Row: user_id. One, or none when it, or a later one, was used before.
UPDATE two_factor SET last_step = $2
WHERE user_id = $1 AND is_on AND last_step < $2
RETURNING user_id
