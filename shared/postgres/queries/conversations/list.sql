-- A user's conversations, most recently active first. The page is chosen first; what each row
-- needs beside is looked up only for the page. A hidden one is left out until its next message.
--
-- $1 user id, $2 and $3 active_at and id of the last row before this page or null, $4 rows at most,
-- $5 unread messages counted at most, $6 messages looked at for that.
-- Row: the conversation, active_at, member_count, my_*, unread_count, message_* (the last one; null
-- in a conversation without a message that the user may see). None to $4.
WITH page AS (
    SELECT c.*, my.role AS my_role, my.joined_seq AS my_joined_seq,
        my.delivered_seq AS my_delivered_seq, my.read_seq AS my_read_seq,
        my.muted_until AS my_muted_until, my.archived AS my_archived, my.pinned AS my_pinned
    FROM members my
    JOIN conversations c ON c.id = my.conversation_id
    WHERE my.user_id = $1 AND my.left_seq IS NULL
        AND (
            my.hidden_seq IS NULL OR EXISTS (
                SELECT FROM messages WHERE conversation_id = c.id AND seq > my.hidden_seq
            )
        )
        AND ($2::timestamptz IS NULL OR (c.active_at, c.id) < ($2, $3::uuid))
    ORDER BY c.active_at DESC, c.id DESC
    LIMIT $4
)
SELECT c.id, c.type, c.title, c.description, c.avatar_url, c.shares_history, c.created_by,
    c.created_at, c.changed_at, c.last_seq, c.active_at,
    c.my_role, c.my_joined_seq, c.my_delivered_seq, c.my_read_seq, c.my_muted_until,
    c.my_archived, c.my_pinned,
    glance.*
FROM page c
CROSS JOIN LATERAL glance_at_conversation(
    c.id, $1, c.my_joined_seq, c.my_read_seq, $5, $6
) glance
ORDER BY c.active_at DESC, c.id DESC
