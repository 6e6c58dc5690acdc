-- Changes one's own side of a conversation; null leaves a preference as it is.
--
-- $1 conversation id, $2 user id, $3 whether muting changes, $4 muted until or null for not muted,
-- $5 archived, $6 pinned.
-- Row: my_*, as in conversations/list.sql, afterwards. One, or none for who is not an active
-- member.
UPDATE members
SET muted_until = CASE WHEN $3 THEN $4 ELSE muted_until END,
    archived = coalesce($5, archived),
    pinned = coalesce($6, pinned)
WHERE conversation_id = $1 AND user_id = $2 AND left_seq IS NULL
RETURNING role AS my_role, joined_seq AS my_joined_seq, delivered_seq AS my_delivered_seq,
    read_seq AS my_read_seq, muted_until AS my_muted_until, archived AS my_archived,
    pinned AS my_pinned
