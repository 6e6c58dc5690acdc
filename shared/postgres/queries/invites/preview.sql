-- An invite and what it opens, for somebody who has the token.
--
-- $1 digest, $2 user id.
-- Row: revoked_at, expires_at, uses, max_uses, conversation_id, title, description, avatar_url,
-- member_count, is_member. One, or none.
SELECT invite.revoked_at, invite.expires_at, invite.uses, invite.max_uses, invite.conversation_id,
    c.title, c.description, c.avatar_url,
    (
        SELECT count(*) FROM members
        WHERE conversation_id = c.id AND left_seq IS NULL
    ) AS member_count,
    EXISTS (
        SELECT FROM members
        WHERE conversation_id = c.id AND user_id = $2 AND left_seq IS NULL
    ) AS is_member
FROM invites invite
JOIN conversations c ON c.id = invite.conversation_id
WHERE invite.digest = $1
