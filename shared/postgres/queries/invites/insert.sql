-- Makes an invite, under the lock of messages/lock_conversations.sql and after standing.sql.
--
-- $1 id, $2 conversation id, $3 creator, $4 digest, $5 uses at most or null, $6 expires at,
-- $7 created at. Row: none.
INSERT INTO invites (id, conversation_id, creator_id, digest, max_uses, expires_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
