-- How far the active members of a conversation have got, as one of them may see it: who does not
-- share receipts shows as read what they had when they joined.
--
-- $1 conversation id, $2 user id of who asks.
-- Row: user_id, delivered, read. One for each active member, in the order of their ids; none for
-- who is not one.
SELECT m.user_id, m.delivered_seq AS delivered,
    CASE WHEN users.share_receipts OR m.user_id = $2 THEN m.read_seq ELSE m.joined_seq END AS read
FROM members my
JOIN members m ON m.conversation_id = my.conversation_id AND m.left_seq IS NULL
JOIN users ON users.id = m.user_id
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
ORDER BY m.user_id
