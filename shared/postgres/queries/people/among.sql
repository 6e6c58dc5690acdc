-- Those of some people who share a conversation with a user, without a block between them. The
-- user counts, too.
--
-- $1 user id, $2 ids of the people.
-- Row: id, share_last_seen. None to one for each, in the order of ids.
SELECT u.id, u.share_last_seen
FROM users u
WHERE u.id = ANY ($2::uuid[]) AND (
    u.id = $1 OR (
        NOT EXISTS (
            SELECT FROM blocks
            WHERE (blocker_id, blocked_id) IN ((u.id, $1), ($1, u.id))
        ) AND EXISTS (
            SELECT FROM members theirs
            JOIN members mine ON mine.conversation_id = theirs.conversation_id
                AND mine.user_id = $1 AND mine.left_seq IS NULL
            WHERE theirs.user_id = u.id AND theirs.left_seq IS NULL
        )
    )
)
ORDER BY u.id
