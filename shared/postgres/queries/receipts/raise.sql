-- Raises marks, and notes for the trace when they rose.
--
-- A claim is what stands at one place in each of the first four parameters; several of one member
-- count as their highest. Rows are locked in the order of their keys, so that batches never
-- deadlock with each other; no lock of a conversation is taken, so a batch never waits for who
-- waits for it. A mark is compared with the row as it is after the lock: what another batch
-- wrote meanwhile is never lowered. The counter may rise meanwhile, but never below what a
-- device has seen. Of who does not share receipts, the time of reading is told to nobody: it has no
-- note, and their frame would say it.
--
-- $1 conversation ids, $2 user ids, $3 delivered bigint[] or nulls, $4 read the same, $5 authors
-- of one receipt at most, $6 messages whose authors are looked for at most.
-- Row: conversation_id, user_id, delivered_before, read_before, delivered, read, shown_read (as
-- others see it), author_ids, author_joined (newest first; null for none). One for each member
-- with a mark that rose, in the order of keys.
WITH claimed AS (
    -- least() and greatest() pass over nulls: without the zero, who claims nothing would have
    -- claimed everything.
    SELECT conversation_id, user_id, coalesce(max(delivered), 0) AS delivered,
        coalesce(max(read), 0) AS read
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
        AS claim (conversation_id, user_id, delivered, read)
    GROUP BY conversation_id, user_id
), locked AS (
    SELECT m.conversation_id, m.user_id, m.delivered_seq, m.read_seq,
        least(claimed.delivered, c.last_seq) AS delivered,
        least(claimed.read, c.last_seq) AS read, users.share_receipts
    FROM claimed
    JOIN conversations c ON c.id = claimed.conversation_id
    JOIN members m ON m.conversation_id = claimed.conversation_id
        AND m.user_id = claimed.user_id
    JOIN users ON users.id = claimed.user_id
    WHERE m.left_seq IS NULL AND (
        least(greatest(claimed.delivered, claimed.read), c.last_seq) > m.delivered_seq
        OR least(claimed.read, c.last_seq) > m.read_seq
    )
    ORDER BY m.conversation_id, m.user_id
    FOR NO KEY UPDATE OF m
), raised AS (
    UPDATE members m
    SET read_seq = greatest(m.read_seq, locked.read),
        delivered_seq = greatest(m.delivered_seq, locked.delivered, m.read_seq, locked.read)
    FROM locked
    WHERE m.conversation_id = locked.conversation_id AND m.user_id = locked.user_id
    RETURNING m.conversation_id, m.user_id, m.joined_seq, m.delivered_seq AS delivered,
        m.read_seq AS read, locked.delivered_seq AS delivered_before,
        locked.read_seq AS read_before, locked.share_receipts
), noted AS (
    INSERT INTO traces (conversation_id, user_id, kind, after, through)
    SELECT conversation_id, user_id, 'delivered', delivered_before, delivered
    FROM raised
    WHERE delivered > delivered_before
    UNION ALL
    SELECT conversation_id, user_id, 'read', read_before, read
    FROM raised
    WHERE read > read_before AND share_receipts
)
SELECT raised.conversation_id, raised.user_id, raised.delivered_before, raised.read_before,
    raised.delivered, raised.read,
    CASE WHEN raised.share_receipts THEN raised.read ELSE raised.joined_seq END AS shown_read,
    authors.ids AS author_ids, authors.joined AS author_joined
FROM raised
CROSS JOIN LATERAL (
    SELECT array_agg(newest.user_id ORDER BY newest.seq DESC) AS ids,
        array_agg(newest.joined_seq ORDER BY newest.seq DESC) AS joined
    FROM (
        SELECT author.user_id, author.joined_seq, max(covered.seq) AS seq
        FROM (
            (
                SELECT sender_id, seq FROM messages
                WHERE conversation_id = raised.conversation_id
                    AND seq > raised.delivered_before AND seq <= raised.delivered
                    AND kind <> 'system'
                ORDER BY seq DESC
                LIMIT $6
            )
            UNION ALL
            (
                SELECT sender_id, seq FROM messages
                WHERE conversation_id = raised.conversation_id
                    AND seq > raised.read_before AND seq <= raised.read
                    AND kind <> 'system' AND raised.share_receipts
                ORDER BY seq DESC
                LIMIT $6
            )
        ) covered
        JOIN members author ON author.conversation_id = raised.conversation_id
            AND author.user_id = covered.sender_id
        WHERE author.left_seq IS NULL AND author.user_id <> raised.user_id
        GROUP BY author.user_id, author.joined_seq
        ORDER BY max(covered.seq) DESC
        LIMIT $5
    ) newest
) authors
ORDER BY raised.conversation_id, raised.user_id
