-- Turns the second factor on that waits for it, with its recovery codes.
--
-- $1 user id, $2 time step of the code that showed it, $3 digests of the recovery codes,
-- $4 the sealed secret that the code was compared with.
-- Row: user_id. One, or none when none waits, or another one.
WITH confirmed AS (
    UPDATE two_factor SET is_on = true, last_step = $2
    WHERE user_id = $1 AND NOT is_on AND sealed_secret = $4
    RETURNING user_id
), kept AS (
    INSERT INTO recovery_codes (user_id, digest)
    SELECT confirmed.user_id, code.digest
    FROM confirmed CROSS JOIN unnest($3::text[]) AS code (digest)
)
SELECT user_id FROM confirmed
