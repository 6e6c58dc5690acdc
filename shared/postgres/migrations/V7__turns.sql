-- Nudges in turn.

ALTER TABLE members
    -- When the member was nudged last, for whatever number. Not indexed: the sweep finds who is
    -- behind by what changed, sorts those few, and updates their rows in place.
    ADD COLUMN nudged_at timestamptz;
