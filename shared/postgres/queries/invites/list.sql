-- A conversation's invites that were not revoked, newest first.
--
-- $1 conversation id, $2 rows at most.
-- Row: id, creator_id, uses, max_uses, expires_at, created_at, revoked_at. None to $2.
SELECT id, creator_id, uses, max_uses, expires_at, created_at, revoked_at
FROM invites
WHERE conversation_id = $1 AND revoked_at IS NULL
ORDER BY created_at DESC, id DESC
LIMIT $2
