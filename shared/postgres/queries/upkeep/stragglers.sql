-- Finds members to whom what changed some time ago was not delivered, and counts that they are
-- nudged. A member whose row somebody else has, another sweep for one, is left to them.
--
-- Who is online is not known here, and most of those who are behind are not. So nudges count while
-- nothing more is delivered, whatever is written meanwhile, and those come first who were nudged
-- least in vain, then those who were nudged longest ago: nobody's turn is taken by who is found
-- again each time.
--
-- The bounds are now() and not clock_timestamp(): only of a stable time can the index of
-- touched_at make use.
--
-- $1 seconds since the change at least, $2 at most, $3 nudges in vain at most, $4 rows at
-- most.
-- Row: conversation_id, user_id, last_seq. None to $4.
WITH changed AS (
    SELECT conversation_id, max(rev) AS rev
    FROM messages
    WHERE touched_at <= now() - make_interval(secs => $1)
        AND touched_at >= now() - make_interval(secs => $2)
    GROUP BY conversation_id
), behind AS (
    SELECT m.conversation_id, m.user_id, c.last_seq,
        CASE WHEN m.nudged_seq = m.delivered_seq THEN m.nudges ELSE 0 END AS in_vain
    FROM changed
    JOIN conversations c ON c.id = changed.conversation_id
    JOIN members m ON m.conversation_id = c.id
    WHERE m.left_seq IS NULL AND m.delivered_seq < changed.rev
        AND (m.nudged_seq <> m.delivered_seq OR m.nudges < $3)
    ORDER BY in_vain, m.nudged_at NULLS FIRST, m.conversation_id, m.user_id
    LIMIT $4
    FOR NO KEY UPDATE OF m SKIP LOCKED
), counted AS (
    UPDATE members m
    SET nudged_seq = m.delivered_seq, nudged_at = now(),
        nudges = CASE WHEN m.nudged_seq = m.delivered_seq THEN m.nudges + 1 ELSE 1 END
    FROM behind
    WHERE m.conversation_id = behind.conversation_id AND m.user_id = behind.user_id
    RETURNING m.conversation_id, m.user_id, behind.last_seq
)
SELECT conversation_id, user_id, last_seq FROM counted
ORDER BY conversation_id, user_id
