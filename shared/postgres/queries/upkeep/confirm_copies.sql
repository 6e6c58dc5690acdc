-- Takes away membership changes whose copies are written; a later change of the same member
-- stays. Locks in the order of keys, because two may confirm the same ones at once.
--
-- $1 conversation ids, $2 user ids, $3 versions at the same places. Row: none.
WITH confirmed AS (
    SELECT change.conversation_id, change.user_id
    FROM (
        SELECT conversation_id, user_id, max(version) AS version
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
            AS copy (conversation_id, user_id, version)
        GROUP BY conversation_id, user_id
    ) copy
    JOIN membership_changes change USING (conversation_id, user_id)
    WHERE change.version <= copy.version
    ORDER BY change.conversation_id, change.user_id
    FOR UPDATE OF change
)
DELETE FROM membership_changes change
USING confirmed
WHERE change.conversation_id = confirmed.conversation_id
    AND change.user_id = confirmed.user_id
