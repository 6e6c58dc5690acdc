-- Locks two people for whoever changes what they are to each other: of two who do at once, the
-- second sees what the first did. Always in the order of ids. A statement by itself, because the
-- snapshot of the next one must be taken after the locks.
--
-- $1 and $2 the user ids. Row: id. One for each that exists.
SELECT id FROM users WHERE id IN ($1, $2) ORDER BY id FOR NO KEY UPDATE
