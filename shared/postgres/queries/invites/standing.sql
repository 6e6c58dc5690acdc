-- Whether somebody may look after a conversation's invites, and how many can be used.
--
-- $1 conversation id, $2 user id, $3 now, or null where the open ones do not matter.
-- Row: type, role, open (zero when they do not matter). One, or none for who is not an active
-- member.
SELECT c.type, my.role, CASE WHEN $3::timestamptz IS NULL THEN 0 ELSE (
        SELECT count(*) FROM invites
        WHERE conversation_id = c.id AND revoked_at IS NULL AND expires_at > $3
            AND (max_uses IS NULL OR uses < max_uses)
    ) END AS open
FROM members my
JOIN conversations c ON c.id = my.conversation_id
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
