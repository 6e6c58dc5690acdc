-- What a user wrote, for themselves, also where they are not in any more: one conversation after
-- the other, each by the key of client_ids, which has what one person sent side by side. So a part
-- reads its own rows, whatever came before it and comes behind.
--
-- $1 user id, $2 and $4 conversation id and client_id of the last row before this part or null, $3
-- rows at most.
-- Row: key, within, and everything as text. None to $3, in the order of the two.
SELECT m.conversation_id AS key, m.client_id AS within,
    m.conversation_id::text AS conversation_id, m.seq::text AS seq, m.kind, m.text,
    m.reply_to::text AS reply_to,
    to_char(m.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS sent_at,
    to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
    to_char(m.edited_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS edited_at,
    to_char(m.deleted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS deleted_at
FROM (
    SELECT conversation_id FROM members
    -- As two parts, because each of the two indexes has one of them.
    WHERE ((user_id = $1 AND left_seq IS NULL) OR (user_id = $1 AND left_seq IS NOT NULL))
        AND ($2::uuid IS NULL OR conversation_id >= $2)
    ORDER BY conversation_id
) my
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE conversation_id = my.conversation_id AND sender_id = $1 AND kind <> 'system'
        AND client_id >= CASE
            WHEN my.conversation_id = $2 THEN $4
            ELSE '00000000-0000-0000-0000-000000000000'::uuid
        END
        AND (my.conversation_id, client_id) IS DISTINCT FROM ($2, $4)
    ORDER BY client_id
    LIMIT $3
) m
ORDER BY my.conversation_id, m.client_id
LIMIT $3
