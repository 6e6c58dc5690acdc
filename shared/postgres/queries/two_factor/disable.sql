-- Turns the second factor off; the recovery codes go with it.
--
-- $1 user id. Row: none.
DELETE FROM two_factor WHERE user_id = $1
