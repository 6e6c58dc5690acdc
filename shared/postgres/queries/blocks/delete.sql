-- Ends a block.
--
-- $1 who blocks, $2 who is blocked. Row: none.
DELETE FROM blocks WHERE blocker_id = $1 AND blocked_id = $2
