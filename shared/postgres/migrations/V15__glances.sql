-- What a row of somebody's list of conversations tells beside the conversation: how many are in it,
-- how many messages are new to them, and the last message that they may see, if any.
--
-- The list and the feed of changes both say it. One SELECT, STABLE and not STRICT: so Postgres
-- puts it into the statement that calls it, and plans it there.
--
-- counted_most: messages counted as new at most. looked_at_most: messages looked at for that.
CREATE FUNCTION glance_at_conversation(
    conversation uuid, reader uuid, joined bigint, read bigint, counted_most bigint,
    looked_at_most bigint
)
RETURNS TABLE (
    member_count bigint, unread_count bigint, message_conversation_id uuid, message_seq bigint,
    message_rev bigint, message_client_id uuid, message_sender_id uuid, message_kind text,
    message_text text, message_reply_to bigint, message_mentions jsonb, message_reactions jsonb,
    message_event jsonb, message_pinned boolean, message_sent_at timestamptz,
    message_created_at timestamptz, message_edited_at timestamptz, message_deleted_at timestamptz
)
LANGUAGE sql STABLE
AS $$
    SELECT (
            SELECT count(*) FROM members m
            WHERE m.conversation_id = conversation AND m.left_seq IS NULL
        ),
        (
            SELECT count(*) FROM (
                SELECT FROM (
                    SELECT m.sender_id, m.kind, m.deleted_at FROM messages m
                    WHERE m.conversation_id = conversation AND m.seq > greatest(read, joined)
                    ORDER BY m.seq
                    LIMIT looked_at_most
                ) beyond
                WHERE sender_id <> reader AND kind <> 'system' AND deleted_at IS NULL
                LIMIT counted_most
            ) unread
        ),
        last.conversation_id, last.seq, last.rev, last.client_id, last.sender_id, last.kind,
        last.text, last.reply_to, last.mentions, last.reactions, last.event, last.pinned,
        last.sent_at, last.created_at, last.edited_at, last.deleted_at
    FROM (SELECT) here
    LEFT JOIN LATERAL (
        SELECT * FROM messages m
        WHERE m.conversation_id = conversation AND m.seq > joined
        ORDER BY m.seq DESC
        LIMIT 1
    ) last ON true
$$;
