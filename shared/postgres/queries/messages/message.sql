-- One message by its number.
--
-- $1 conversation id, $2 seq. Row: the message. One, or none.
SELECT m.conversation_id, m.seq, m.rev, m.client_id, m.sender_id, m.kind, m.text, m.reply_to,
    m.mentions, m.reactions, m.event, m.pinned, m.sent_at, m.created_at, m.edited_at, m.deleted_at
FROM messages m
WHERE m.conversation_id = $1 AND m.seq = $2
