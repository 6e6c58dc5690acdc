-- Locks conversations for a writer. Always in the order of ids: two batches that lock in orders
-- of their own deadlock. A statement by itself, because the snapshot of the writing statement
-- must be taken after the locks, or it would still see a member who was removed meanwhile.
--
-- $1 conversation ids. Row: id. One for each that exists.
SELECT id FROM conversations WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE
