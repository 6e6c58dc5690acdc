-- Nudges in turn.

ALTER TABLE members
    -- When the member was nudged last. Not indexed: the sweep finds who is behind by what changed,
    -- sorts those few, and updates their rows in place.
    ADD COLUMN nudged_at timestamptz;

COMMENT ON COLUMN members.nudged_seq IS 'delivered_seq when the member was nudged last';
COMMENT ON COLUMN members.nudges IS 'how often they were nudged while delivered_seq was that';
