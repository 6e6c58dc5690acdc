-- Locks the conversation that an invite is for. Which one that is never changes.
--
-- $1 digest of the invite's token. Row: id. One, or none.
SELECT id FROM conversations
WHERE id = (SELECT conversation_id FROM invites WHERE digest = $1)
FOR UPDATE
