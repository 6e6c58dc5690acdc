-- A conversation's invites that were not revoked: the open ones first, of both kinds the newest
-- first. There are never more open ones than rows, so none of them is missing.
--
-- $1 conversation id, $2 rows at most, $3 now.
-- Row: id, creator_id, uses, max_uses, expires_at, created_at, revoked_at. None to $2.
SELECT id, creator_id, uses, max_uses, expires_at, created_at, revoked_at
FROM invites
WHERE conversation_id = $1 AND revoked_at IS NULL
ORDER BY (expires_at > $3 AND (max_uses IS NULL OR uses < max_uses)) DESC, created_at DESC,
    id DESC
LIMIT $2
