-- All who reacted to a message with one emoji, in the order in which they did.
--
-- $1 conversation id, $2 user id of who asks, $3 seq, $4 emoji, $5 the number of the last row
-- before this page or 0, $6 rows at most.
-- Row: user_id, rev; both null when the page is empty. One to $6, or none when the message is not
-- there for who asks.
SELECT r.user_id, r.rev
FROM members my
JOIN messages m ON m.conversation_id = my.conversation_id AND m.seq = $3
    AND m.seq > my.joined_seq
LEFT JOIN LATERAL (
    SELECT user_id, rev FROM reactions
    WHERE conversation_id = m.conversation_id AND seq = m.seq AND emoji = $4 AND rev > $5
    ORDER BY rev
    LIMIT $6
) r ON true
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
ORDER BY r.rev
