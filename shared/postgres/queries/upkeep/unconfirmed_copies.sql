-- Membership changes whose copies nobody has confirmed for a while, the oldest first.
--
-- $1 seconds since the change at least, $2 rows at most.
-- Row: conversation_id, user_id, is_active, version. None to $2.
SELECT conversation_id, user_id, is_active, version
FROM membership_changes
WHERE changed_at <= now() - make_interval(secs => $1)
ORDER BY changed_at, conversation_id, user_id
LIMIT $2
