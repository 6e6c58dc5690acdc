-- What was written or changed after a number, and the counter, in one snapshot.
--
-- $1 conversation id, $2 user id, $3 the number, $4 rows at most.
-- Row: last_seq and the message, which is all null when nothing changed. Ascending by rev. One
-- to $4, or none for who is not an active member.
SELECT c.last_seq, m.conversation_id, m.seq, m.rev, m.client_id, m.sender_id, m.kind, m.text,
    m.reply_to, m.mentions, m.reactions, m.event, m.pinned, m.sent_at, m.created_at, m.edited_at,
    m.deleted_at
FROM members my
JOIN conversations c ON c.id = my.conversation_id
LEFT JOIN LATERAL (
    -- What may be seen was written after joining, and no rev is smaller than its seq. The "+ 0"
    -- keeps the planner from walking the whole history by seq and sorting it.
    SELECT * FROM messages
    WHERE conversation_id = my.conversation_id AND rev > greatest($3, my.joined_seq)
        AND seq + 0 > my.joined_seq
    ORDER BY rev
    LIMIT $4
) m ON true
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
ORDER BY m.rev
