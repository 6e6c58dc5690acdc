-- Who is in one conversation by a change whose copy nobody has confirmed.
--
-- $1 conversation.
-- Row: conversation_id, user_id, is_active, version. None to as many as are in it.
SELECT conversation_id, user_id, is_active, version
FROM membership_changes
WHERE conversation_id = $1
    AND is_active
