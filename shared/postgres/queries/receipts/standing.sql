-- Marks as they are, with the authors of the newest messages that they cover: for a batch of claims
-- that comes again, whose marks may have risen without anybody being told. Changes nothing.
--
-- A claim is what stands at one place in both of the first parameters; several of one member count
-- once.
--
-- $1 conversation ids, $2 user ids, $3 authors of one receipt at most, $4 messages whose authors
-- are looked for at most.
-- Row: as of raise.sql, with the marks before the same as after. One for each active member, in
-- the order of keys.
WITH claimed AS (
    SELECT DISTINCT conversation_id, user_id
    FROM unnest($1::uuid[], $2::uuid[]) AS claim (conversation_id, user_id)
)
SELECT m.conversation_id, m.user_id, m.delivered_seq AS delivered_before,
    m.read_seq AS read_before, m.delivered_seq AS delivered, m.read_seq AS read,
    CASE WHEN users.share_receipts THEN m.read_seq ELSE m.joined_seq END AS shown_read,
    authors.ids AS author_ids, authors.joined AS author_joined
FROM claimed
JOIN members m ON m.conversation_id = claimed.conversation_id AND m.user_id = claimed.user_id
JOIN users ON users.id = m.user_id
CROSS JOIN LATERAL (
    SELECT array_agg(newest.user_id ORDER BY newest.seq DESC) AS ids,
        array_agg(newest.joined_seq ORDER BY newest.seq DESC) AS joined
    FROM (
        SELECT author.user_id, author.joined_seq, max(covered.seq) AS seq
        FROM (
            SELECT sender_id, seq FROM messages
            WHERE conversation_id = m.conversation_id AND seq <= m.delivered_seq
                AND kind <> 'system'
            ORDER BY seq DESC
            LIMIT $4
        ) covered
        JOIN members author ON author.conversation_id = m.conversation_id
            AND author.user_id = covered.sender_id
        WHERE author.left_seq IS NULL AND author.user_id <> m.user_id
        GROUP BY author.user_id, author.joined_seq
        ORDER BY max(covered.seq) DESC
        LIMIT $3
    ) newest
) authors
WHERE m.left_seq IS NULL
ORDER BY m.conversation_id, m.user_id
