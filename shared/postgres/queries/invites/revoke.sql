-- Ends an invite. The first end stays recorded.
--
-- $1 conversation id, $2 id, $3 now. Row: id. One, or none when it is not one of this
-- conversation.
UPDATE invites SET revoked_at = coalesce(revoked_at, $3)
WHERE conversation_id = $1 AND id = $2
RETURNING id
