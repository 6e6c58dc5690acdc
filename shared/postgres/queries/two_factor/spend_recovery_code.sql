-- Uses a recovery code. Of two at once, the second finds none.
--
-- $1 user id, $2 digest. Row: user_id. One, or none for an unknown or spent one.
DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2 RETURNING user_id
