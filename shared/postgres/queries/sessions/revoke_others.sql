-- Ends all sessions of a user but one, under the lock of proofs/lock_account.sql: of two who end
-- each other, the second finds that it has ended.
--
-- $1 user id, $2 session id that stays, $3 now, $4 sessions that ended since then are told again,
-- $5 so many of them at most.
-- Row: id, session_ids uuid[] (those that ended now or lately). One, or none when the session that
-- was to stay has ended.
WITH keeper AS (
    SELECT user_id AS id FROM sessions WHERE id = $2 AND user_id = $1 AND revoked_at IS NULL
), ended AS (
    UPDATE sessions SET revoked_at = $3
    FROM keeper
    WHERE sessions.user_id = keeper.id AND sessions.id <> $2 AND sessions.revoked_at IS NULL
    RETURNING sessions.id
), lately AS (
    SELECT sessions.id FROM sessions JOIN keeper ON sessions.user_id = keeper.id
    WHERE sessions.revoked_at > $4
    ORDER BY sessions.revoked_at DESC
    LIMIT $5
)
SELECT keeper.id, ARRAY(SELECT id FROM ended UNION ALL SELECT id FROM lately) AS session_ids
FROM keeper
