-- Takes a direct conversation out of one member's list until its next message. Without the
-- conversation's lock: a message that comes at the same time has a greater number, and shows it.
--
-- $1 conversation id, $2 user id.
-- Row: type. One, or none for who is not an active member. A group stays as it is.
WITH hidden AS (
    UPDATE members my
    SET hidden_seq = c.last_seq
    FROM conversations c
    WHERE c.id = $1 AND c.type = 'direct' AND my.conversation_id = c.id AND my.user_id = $2
        AND my.left_seq IS NULL
)
SELECT c.type
FROM members my
JOIN conversations c ON c.id = my.conversation_id
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
