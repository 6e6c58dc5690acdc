-- One conversation as its active member sees it.
--
-- $1 id, $2 user id. Row: the conversation, member_count. One, or none for who is not in it.
SELECT c.id, c.type, c.title, c.description, c.avatar_url, c.shares_history, c.created_by,
    c.created_at, c.changed_at, c.last_seq,
    (
        SELECT count(*) FROM members
        WHERE conversation_id = c.id AND left_seq IS NULL
    ) AS member_count
FROM members my
JOIN conversations c ON c.id = my.conversation_id
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
