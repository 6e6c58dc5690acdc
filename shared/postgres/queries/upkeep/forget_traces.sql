-- Forgets traces that are over, the oldest first. Two sweeps at once take different ones.
--
-- By their places (ctid), as an array: in place of a join, for which the planner would read the
-- whole table once there are many to forget.
--
-- $1 seconds that a trace is kept, $2 rows at most.
-- Row: forgotten. Exactly one.
WITH old AS (
    SELECT ctid FROM traces
    WHERE at < now() - make_interval(secs => $1)
    ORDER BY at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM traces WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1
)
SELECT count(*) AS forgotten FROM forgotten
