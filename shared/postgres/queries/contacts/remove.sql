-- Ends two people's being contacts, under the lock of lock_people.sql.
--
-- $1 and $2 the user ids. Row: user_id. Two, or none when they were not.
DELETE FROM contacts WHERE (user_id, contact_id) IN (($1, $2), ($2, $1)) RETURNING user_id
