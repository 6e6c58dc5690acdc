-- The other active members of a conversation, who read furthest first, without those with a block
-- between.
--
-- $1 conversation id, $2 user id of who asks, $3 rows at most.
-- Row: user_id; null when there is nobody. One to $3, or none for who is not an active member.
SELECT peer.user_id
FROM members my
LEFT JOIN LATERAL (
    SELECT other.user_id, other.read_seq FROM members other
    WHERE other.conversation_id = my.conversation_id AND other.left_seq IS NULL
        AND other.user_id <> my.user_id
        AND NOT EXISTS (
            SELECT FROM blocks
            WHERE blocker_id = my.user_id AND blocked_id = other.user_id
        )
        AND NOT EXISTS (
            SELECT FROM blocks
            WHERE blocker_id = other.user_id AND blocked_id = my.user_id
        )
    ORDER BY other.read_seq DESC, other.user_id
    LIMIT $3
) peer ON true
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
ORDER BY peer.read_seq DESC, peer.user_id
