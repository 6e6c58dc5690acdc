-- Empties what is left of memberships that have ended: preferences, and notes of when something
-- was delivered and read.
--
-- $1 user id. Row: counts of what went: members, traces. Exactly one.
WITH preferences AS (
    UPDATE members
    SET muted_until = NULL, archived = false, pinned = false, hidden_seq = NULL
    WHERE user_id = $1 AND left_seq IS NOT NULL
        AND (muted_until IS NOT NULL OR archived OR pinned OR hidden_seq IS NOT NULL)
    RETURNING user_id
), notes AS (
    DELETE FROM traces
    USING members m
    WHERE m.user_id = $1 AND m.left_seq IS NOT NULL
        AND traces.conversation_id = m.conversation_id AND traces.user_id = m.user_id
    RETURNING traces.user_id
)
SELECT (SELECT count(*) FROM preferences) AS members, (SELECT count(*) FROM notes) AS traces
