-- What the sweep and the trace need, and the feed of one's own side.

ALTER TABLE members
    -- The last_seq for which the member was nudged last, and how often.
    ADD COLUMN nudged_seq bigint NOT NULL DEFAULT 0,
    ADD COLUMN nudges smallint NOT NULL DEFAULT 0,
    ALTER COLUMN changed_at SET DEFAULT clock_timestamp(),
    ADD CONSTRAINT members_nudges CHECK (nudged_seq >= 0 AND nudges >= 0);

-- A device learns from changed_at that it is not in a conversation any more. A statement that
-- forgot to write it would lose that for ever, so no statement is asked to.
CREATE FUNCTION members_set_changed_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END
$$;

-- Being nudged is no change of the member.
CREATE TRIGGER members_changed_at BEFORE UPDATE ON members FOR EACH ROW
    WHEN (OLD.nudged_seq = NEW.nudged_seq AND OLD.nudges = NEW.nudges)
    EXECUTE FUNCTION members_set_changed_at();

-- What a user left, for GET /sync. changed_at is not in it, so that marks and preferences are
-- updated in place.
CREATE INDEX members_left_of_user_idx ON members (user_id) WHERE left_seq IS NOT NULL;

-- Memberships whose copies in DynamoDB are not known to be written: who adds or removes a member
-- leaves a row in the same transaction, who wrote the copy takes it away, and the sweep writes
-- what stays. One row a member: of two changes only the later one matters.
CREATE TABLE membership_changes (
    conversation_id  uuid NOT NULL,
    user_id          uuid NOT NULL,
    is_active        boolean NOT NULL,
    -- The conversation's counter at the change.
    version          bigint NOT NULL,
    changed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),

    -- No foreign key: the same statement writes the member's row, and this one lives for seconds.
    CONSTRAINT membership_changes_pkey PRIMARY KEY (conversation_id, user_id),
    CONSTRAINT membership_changes_version CHECK (version >= 0)
);

-- The oldest first.
CREATE INDEX membership_changes_changed_at_idx ON membership_changes (changed_at);

-- When numbers were pushed to sockets, delivered to members and read by them. Kept for a week.
CREATE TABLE traces (
    conversation_id  uuid NOT NULL,
    -- Null for pushes, which are counted and not told apart.
    user_id          uuid,
    kind             text NOT NULL,
    -- The numbers in (after, through].
    after            bigint NOT NULL,
    through          bigint NOT NULL,
    -- Sockets that took the frame; null for the other kinds.
    devices          integer,
    at               timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT traces_kind CHECK (kind IN ('pushed', 'delivered', 'read')),
    CONSTRAINT traces_parts CHECK (
        (kind = 'pushed') = (devices IS NOT NULL) AND (kind = 'pushed') = (user_id IS NULL)
    ),
    CONSTRAINT traces_numbers CHECK (0 <= after AND after < through),
    CONSTRAINT traces_devices CHECK (devices >= 1)
    -- No key and no foreign keys: notes, which nothing depends on. The same push may well be
    -- noted twice.
);

-- A member's marks only rise, so the first row of theirs that ends at a number or after it is
-- the one that covers the number.
CREATE INDEX traces_of_member_idx ON traces (conversation_id, user_id, kind, through)
    WHERE user_id IS NOT NULL;

-- A push covers a few numbers only, so those that cover one end close behind it.
CREATE INDEX traces_pushed_idx ON traces (conversation_id, through) WHERE kind = 'pushed';

-- What is over.
CREATE INDEX traces_at_idx ON traces (at);
