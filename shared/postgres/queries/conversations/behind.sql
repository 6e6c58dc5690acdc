-- Which of a user's cursors are behind their conversations.
--
-- $1 user id, $2 conversation ids, $3 the cursors at the same places.
-- Row: id, last_seq. One for each conversation that went on, in the order of ids.
SELECT c.id, c.last_seq
FROM unnest($2::uuid[], $3::bigint[]) AS held (conversation_id, cursor)
JOIN members my ON my.conversation_id = held.conversation_id
    AND my.user_id = $1 AND my.left_seq IS NULL
JOIN conversations c ON c.id = my.conversation_id
GROUP BY c.id
HAVING c.last_seq > min(held.cursor)
ORDER BY c.id
