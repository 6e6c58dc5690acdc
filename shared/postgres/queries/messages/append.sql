-- Writes submissions into history, under the locks of lock_conversations.sql.
--
-- All parameters are arrays; a submission is what stands at one place in each: $1 conversation
-- ids, $2 sender ids, $3 client_ids, $4 kinds, $5 texts, $6 reply_to, $7 mentions, $8 sent at,
-- $9 accepted at, $10 trace ids.
-- Row: position (from 1), verdict ('fresh', 'known', 'blocked', 'not_a_member',
-- 'invalid_reply_to', 'invalid_mention'), the message (null when refused), recipient_ids and
-- recipient_joined (in the first row of each conversation with a message, null elsewhere). One
-- for the first of every (conversation, sender, client_id).
WITH input AS (
    SELECT DISTINCT ON (i.conversation_id, i.sender_id, i.client_id) i.*
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[],
            $7::jsonb[], $8::timestamptz[], $9::timestamptz[], $10::uuid[])
        WITH ORDINALITY AS i (conversation_id, sender_id, client_id, kind, text, reply_to,
            mentions, sent_at, accepted_at, trace_id, position)
    ORDER BY i.conversation_id, i.sender_id, i.client_id, i.position
), known AS (
    SELECT input.position, m.conversation_id, m.seq, m.rev, m.client_id, m.sender_id, m.kind,
        m.text, m.reply_to, m.mentions, m.reactions, m.event, m.pinned, m.sent_at, m.created_at,
        m.edited_at, m.deleted_at
    FROM input
    JOIN messages m USING (conversation_id, sender_id, client_id)
), judged AS (
    SELECT input.*,
        CASE
            -- What is stored is answered even to who has left since.
            WHEN EXISTS (SELECT FROM known WHERE known.position = input.position) THEN 'known'
            WHEN my.user_id IS NULL THEN 'not_a_member'
            WHEN c.type = 'direct' AND EXISTS (
                SELECT FROM members other
                WHERE other.conversation_id = c.id AND other.user_id <> my.user_id AND (
                    EXISTS (
                        SELECT FROM blocks
                        WHERE blocker_id = my.user_id AND blocked_id = other.user_id
                    ) OR EXISTS (
                        SELECT FROM blocks
                        WHERE blocker_id = other.user_id AND blocked_id = my.user_id
                    )
                )
            ) THEN 'blocked'
            WHEN input.reply_to IS NOT NULL OR input.mentions <> '[]' THEN coalesce(
                message_reference_fault(
                    my.conversation_id, my.joined_seq, input.reply_to, input.mentions
                ),
                'fresh'
            )
            ELSE 'fresh'
        END AS verdict
    FROM input
    LEFT JOIN conversations c ON c.id = input.conversation_id
    LEFT JOIN members my ON my.conversation_id = input.conversation_id
        AND my.user_id = input.sender_id AND my.left_seq IS NULL
), fresh AS (
    SELECT judged.*,
        row_number() OVER (PARTITION BY conversation_id ORDER BY position) AS place
    FROM judged
    WHERE verdict = 'fresh'
), raised AS (
    UPDATE conversations c
    SET last_seq = c.last_seq + counted.messages,
        active_at = greatest(c.active_at, counted.latest),
        touched_at = clock_timestamp()
    FROM (
        SELECT conversation_id, count(*) AS messages, max(accepted_at) AS latest
        FROM fresh
        GROUP BY conversation_id
    ) counted
    WHERE c.id = counted.conversation_id
    RETURNING c.id, c.last_seq - counted.messages AS base
), stored AS (
    INSERT INTO messages (conversation_id, seq, rev, client_id, sender_id, kind, text, reply_to,
        mentions, sent_at, created_at, trace_id)
    SELECT fresh.conversation_id, raised.base + fresh.place, raised.base + fresh.place,
        fresh.client_id, fresh.sender_id, fresh.kind, fresh.text, fresh.reply_to,
        fresh.mentions, fresh.sent_at, fresh.accepted_at, fresh.trace_id
    FROM fresh
    JOIN raised ON raised.id = fresh.conversation_id
    RETURNING conversation_id, seq, rev, client_id, sender_id, kind, text, reply_to, mentions,
        reactions, event, pinned, sent_at, created_at, edited_at, deleted_at
), told AS (
    SELECT * FROM stored
    UNION ALL
    -- Not read again by its number: this statement is planned anew each time, and another join
    -- to messages costs more to plan than the row does to read.
    SELECT conversation_id, seq, rev, client_id, sender_id, kind, text, reply_to, mentions,
        reactions, event, pinned, sent_at, created_at, edited_at, deleted_at
    FROM known
), answer AS (
    SELECT judged.position, judged.verdict, told.*,
        row_number() OVER (PARTITION BY told.conversation_id ORDER BY judged.position) AS nth
    FROM judged
    LEFT JOIN told USING (conversation_id, sender_id, client_id)
)
SELECT answer.*, recipients.ids AS recipient_ids, recipients.joined AS recipient_joined
FROM answer
LEFT JOIN LATERAL (
    SELECT array_agg(user_id ORDER BY user_id) AS ids,
        array_agg(joined_seq ORDER BY user_id) AS joined
    FROM members
    WHERE conversation_id = answer.conversation_id AND left_seq IS NULL
) recipients ON answer.nth = 1 AND answer.seq IS NOT NULL
ORDER BY answer.position
