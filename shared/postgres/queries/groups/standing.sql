-- What a change of a group is judged by, under the lock of messages/lock_conversations.sql or
-- lock_by_invite.sql. The people who are to be added stay locked until the end, so that no
-- account ends between the judgement and the writing.
--
-- $1 conversation id or null, $2 digest of an invite's token or null: one of both; $3 the actor,
-- $4 people who are to be added uuid[].
-- Row: the conversation, member_count, member_ids and member_roles (active, in the order they
-- joined), member_joined, known_users uuid[] (of $4), blocked_users uuid[] (of $4, by a block with
-- the actor either way), invite_id, invite_revoked_at, invite_expires_at, invite_uses,
-- invite_max_uses (null without $2). One, or none when there is no such conversation.
WITH known AS (
    SELECT id FROM users
    WHERE id = ANY ($4::uuid[]) AND erased_at IS NULL
    ORDER BY id
    FOR KEY SHARE
)
SELECT c.id, c.type, c.title, c.description, c.avatar_url, c.shares_history, c.created_by,
    c.created_at, c.changed_at, c.last_seq, coalesce(cardinality(m.ids), 0)::bigint AS member_count,
    coalesce(m.ids, '{}') AS member_ids, coalesce(m.roles, '{}') AS member_roles,
    coalesce(m.joined, '{}') AS member_joined,
    ARRAY(SELECT id FROM known) AS known_users,
    ARRAY(
        SELECT named.id FROM unnest($4::uuid[]) AS named (id)
        WHERE EXISTS (
            SELECT FROM blocks
            WHERE (blocker_id, blocked_id) IN ((named.id, $3), ($3, named.id))
        )
    ) AS blocked_users,
    invite.id AS invite_id, invite.revoked_at AS invite_revoked_at,
    invite.expires_at AS invite_expires_at, invite.uses AS invite_uses,
    invite.max_uses AS invite_max_uses
FROM conversations c
LEFT JOIN invites invite ON invite.digest = $2
CROSS JOIN LATERAL (
    SELECT array_agg(user_id ORDER BY joined_at, user_id) AS ids,
        array_agg(role ORDER BY joined_at, user_id) AS roles,
        array_agg(joined_seq ORDER BY joined_at, user_id) AS joined
    FROM members
    WHERE conversation_id = c.id AND left_seq IS NULL
) m
WHERE c.id = coalesce((SELECT conversation_id FROM invites WHERE digest = $2), $1)
