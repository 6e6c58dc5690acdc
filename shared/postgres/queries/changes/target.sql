-- What a change of a message is judged by, under the lock of lock_conversations.sql.
--
-- $1 conversation id, $2 user id, $3 seq, $4 the emoji of a reaction or null, $5 users at most,
-- $6 the mentions of an edit, or null for none.
-- Row: conversation_type, role, is_blocked (from or by the other one of a direct conversation),
-- mentions_a_stranger (who neither is nor was a member), the message (null when it is not there or
-- was written before they joined), has_reacted, first_reactors uuid[] (of this emoji; one more
-- than is shown, so that there are enough when the user takes theirs back). One, or none for who
-- is not an active member.
SELECT c.type AS conversation_type, my.role, m.conversation_id, m.seq, m.rev, m.client_id,
    m.sender_id, m.kind, m.text, m.reply_to, m.mentions, m.reactions, m.event, m.pinned,
    m.sent_at, m.created_at, m.edited_at, m.deleted_at,
    c.type = 'direct' AND EXISTS (
        SELECT FROM members other
        JOIN blocks ON (blocker_id = $2 AND blocked_id = other.user_id)
            OR (blocker_id = other.user_id AND blocked_id = $2)
        WHERE other.conversation_id = $1
    ) AS is_blocked,
    $6::jsonb IS NOT NULL
        AND message_reference_fault($1, my.joined_seq, NULL, $6) IS NOT NULL
        AS mentions_a_stranger,
    EXISTS (
        SELECT FROM reactions
        WHERE conversation_id = $1 AND seq = $3 AND emoji = $4 AND user_id = $2
    ) AS has_reacted,
    ARRAY(
        SELECT user_id FROM reactions
        WHERE conversation_id = $1 AND seq = $3 AND emoji = $4
        ORDER BY rev
        LIMIT $5
    ) AS first_reactors
FROM members my
JOIN conversations c ON c.id = my.conversation_id
LEFT JOIN messages m ON m.conversation_id = my.conversation_id AND m.seq = $3
    AND m.seq > my.joined_seq
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
