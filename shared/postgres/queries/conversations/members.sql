-- The active members of a conversation, in the order they joined.
--
-- $1 conversation id, $2 user id of who asks, $3 and $4 joined_at and user id of the last row
-- before this page or null, $5 rows at most.
-- Row: user_id, username, display_name, role, joined_at, joined_seq; all null when the page is
-- empty. One to $5, or none when who asks is not in it.
SELECT m.user_id, m.username, m.display_name, m.role, m.joined_at, m.joined_seq
FROM members my
LEFT JOIN LATERAL (
    SELECT members.user_id, users.username, users.display_name, members.role,
        members.joined_at, members.joined_seq
    FROM members
    JOIN users ON users.id = members.user_id
    WHERE members.conversation_id = my.conversation_id AND members.left_seq IS NULL
        AND ($3::timestamptz IS NULL OR (members.joined_at, members.user_id) > ($3, $4::uuid))
    ORDER BY members.joined_at, members.user_id
    LIMIT $5
) m ON true
WHERE my.conversation_id = $1 AND my.user_id = $2 AND my.left_seq IS NULL
ORDER BY m.joined_at, m.user_id
