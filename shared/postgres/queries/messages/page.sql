-- The messages around a number that a member may see: what is before it, and what begins with it.
--
-- $1 conversation id, $2 user id, $3 the number, $4 rows before it at most, $5 rows from it on
-- at most.
-- Row: the message; all null when there is none. Ascending by seq. One to $4 + $5, or none for
-- who is not an active member.
SELECT m.conversation_id, m.seq, m.rev, m.client_id, m.sender_id, m.kind, m.text, m.reply_to,
    m.mentions, m.reactions, m.event, m.pinned, m.sent_at, m.created_at, m.edited_at, m.deleted_at
FROM members my
LEFT JOIN LATERAL (
    (
        SELECT * FROM messages
        WHERE conversation_id = my.conversation_id AND seq > my.joined_seq AND seq < $3
        ORDER BY seq DESC
        LIMIT $4
    )
    UNION ALL
    (
        SELECT * FROM messages
        WHERE conversation_id = my.conversation_id AND seq > my.joined_seq AND seq >= $3
        ORDER BY seq
        LIMIT $5
    )
) m ON true
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
ORDER BY m.seq
