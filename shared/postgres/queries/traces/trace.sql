-- What became of a message, for its sender. Of those who could see it, each one's first note that
-- ends at its number or after it is the one that covers it, because marks only rise. Reading is
-- told only of those who share it. Pushes are dated by who pushed, whose clock may be behind this
-- one: none is shown as earlier than the commit of the message.
--
-- $1 conversation id, $2 user id of who asks, $3 seq, $4 numbers that one push covers at most.
-- Row: trace_id, created_at, stored_at, pushed_devices, first_pushed_at, last_pushed_at,
-- delivered_to uuid[], delivered_at timestamptz[], read_by uuid[], read_at timestamptz[] (in the
-- order of time; null for none). One, or none for who did not write it or is not an active
-- member.
SELECT message.trace_id, message.created_at, message.stored_at,
    pushed.devices AS pushed_devices, pushed.first_at AS first_pushed_at,
    pushed.last_at AS last_pushed_at, delivered.user_ids AS delivered_to,
    delivered.times AS delivered_at, read.user_ids AS read_by, read.times AS read_at
FROM members my
JOIN messages message ON message.conversation_id = my.conversation_id AND message.seq = $3
    AND message.sender_id = my.user_id AND message.seq > my.joined_seq
CROSS JOIN LATERAL (
    SELECT coalesce(sum(devices), 0)::bigint AS devices,
        min(greatest(at, message.stored_at)) AS first_at,
        max(greatest(at, message.stored_at)) AS last_at
    FROM traces
    WHERE conversation_id = message.conversation_id AND kind = 'pushed'
        AND through >= message.seq AND through < message.seq + $4 AND after < message.seq
) pushed
CROSS JOIN LATERAL (
    SELECT array_agg(other.user_id ORDER BY note.at, other.user_id) AS user_ids,
        array_agg(note.at ORDER BY note.at, other.user_id) AS times
    FROM members other
    CROSS JOIN LATERAL (
        SELECT after, at FROM traces
        WHERE conversation_id = other.conversation_id AND user_id = other.user_id
            AND kind = 'delivered' AND through >= message.seq
        ORDER BY through
        LIMIT 1
    ) note
    WHERE other.conversation_id = message.conversation_id
        AND other.joined_seq < message.seq
        AND (other.left_seq IS NULL OR other.left_seq >= message.seq)
        AND note.after < message.seq
) delivered
CROSS JOIN LATERAL (
    SELECT array_agg(other.user_id ORDER BY note.at, other.user_id) AS user_ids,
        array_agg(note.at ORDER BY note.at, other.user_id) AS times
    FROM members other
    JOIN users ON users.id = other.user_id AND users.share_receipts
    CROSS JOIN LATERAL (
        SELECT after, at FROM traces
        WHERE conversation_id = other.conversation_id AND user_id = other.user_id
            AND kind = 'read' AND through >= message.seq
        ORDER BY through
        LIMIT 1
    ) note
    WHERE other.conversation_id = message.conversation_id
        AND other.joined_seq < message.seq
        AND (other.left_seq IS NULL OR other.left_seq >= message.seq)
        AND note.after < message.seq
) read
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
