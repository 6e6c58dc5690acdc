-- Writes a changed message with the next number, under the lock of lock_conversations.sql and
-- after target.sql. The lock is why the number is nobody else's and no reaction is there twice.
--
-- $1 conversation id, $2 seq, $3 text, $4 mentions, $5 reactions, $6 pinned, $7 edited at,
-- $8 deleted at; $9 user id and $10 emoji of a reaction that is given, $11 of one that is taken
-- back, or null; $12 the time.
-- Row: rev, recipient_ids, recipient_joined (the active members). Exactly one.
WITH numbered AS (
    UPDATE conversations
    SET last_seq = last_seq + 1, touched_at = clock_timestamp()
    WHERE id = $1
    RETURNING id, last_seq AS rev
), changed AS (
    UPDATE messages m
    SET rev = numbered.rev, touched_at = clock_timestamp(), text = $3, mentions = $4,
        reactions = $5, pinned = $6, edited_at = $7, deleted_at = $8
    FROM numbered
    WHERE m.conversation_id = numbered.id AND m.seq = $2
    RETURNING m.conversation_id, m.rev
), given AS (
    INSERT INTO reactions (conversation_id, seq, emoji, user_id, rev, reacted_at)
    SELECT changed.conversation_id, $2, $10::text, $9, changed.rev, $12
    FROM changed
    WHERE $10::text IS NOT NULL
), taken_back AS (
    -- A tombstone has none.
    DELETE FROM reactions
    WHERE conversation_id = $1 AND seq = $2
        AND ($8::timestamptz IS NOT NULL OR (emoji = $11 AND user_id = $9))
)
SELECT changed.rev, recipients.ids AS recipient_ids, recipients.joined AS recipient_joined
FROM changed
CROSS JOIN LATERAL (
    SELECT array_agg(user_id ORDER BY user_id) AS ids,
        array_agg(joined_seq ORDER BY user_id) AS joined
    FROM members
    WHERE conversation_id = changed.conversation_id AND left_seq IS NULL
) recipients
