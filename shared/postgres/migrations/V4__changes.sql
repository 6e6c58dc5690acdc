-- Changes of what is in history, and when things changed by the database's clock.
--
-- A time that a cursor or a sweep is compared with is clock_timestamp(), taken by the statement
-- that writes: the clocks of the processes differ, and now() is the time at which a transaction
-- began, which may be long before it had its lock.

ALTER TABLE messages
    -- What is shown of the reactions: [{"emoji", "count", "user_ids" (the first 20)}] in the order
    -- in which their emoji came first. A copy, so that every reader of messages has it in the
    -- row; whoever writes it holds the conversation's lock, so it never differs from the table.
    ADD COLUMN reactions jsonb NOT NULL DEFAULT '[]',
    -- The same in the log lines of every function that had the message. Null: written by the
    -- server, or before there was one.
    ADD COLUMN trace_id uuid,
    -- When it became history; created_at is when it was accepted.
    ADD COLUMN stored_at timestamptz,
    -- When its rev was given.
    ADD COLUMN touched_at timestamptz;

-- What is there was touched long ago, as far as anybody can tell: nobody is nudged for it.
UPDATE messages SET stored_at = created_at, touched_at = created_at;

ALTER TABLE messages
    ALTER COLUMN stored_at SET NOT NULL,
    ALTER COLUMN stored_at SET DEFAULT clock_timestamp(),
    ALTER COLUMN touched_at SET NOT NULL,
    ALTER COLUMN touched_at SET DEFAULT clock_timestamp(),
    ADD CONSTRAINT messages_reactions CHECK (jsonb_typeof(reactions) = 'array'),
    DROP CONSTRAINT messages_tombstone,
    -- A tombstone keeps its place and nothing else.
    ADD CONSTRAINT messages_tombstone CHECK (
        deleted_at IS NULL
            OR (text IS NULL AND mentions = '[]' AND reactions = '[]' AND NOT pinned)
    );

-- What changed in the last minutes, for the sweep. New rows and changed rows both go to the end
-- of the table, so that a few block ranges have them all; the index has a few pages, and writing
-- a message does not touch it.
CREATE INDEX messages_touched_at_idx ON messages USING brin (touched_at)
    WITH (pages_per_range = 32, autosummarize = on);

-- Who reacted: messages.reactions has the first 20 of each emoji, this table has all.
CREATE TABLE reactions (
    conversation_id  uuid NOT NULL,
    seq              bigint NOT NULL,
    -- Compared byte by byte: no server's locale makes two emoji equal.
    emoji            text COLLATE "C" NOT NULL,
    user_id          uuid NOT NULL,
    -- The number that the reaction took: the order of the list, and the same for ever. A sequence
    -- would give an order, too, but tie a pooler's session to the process.
    rev              bigint NOT NULL,
    reacted_at       timestamptz NOT NULL,

    -- One reacts once with an emoji.
    CONSTRAINT reactions_pkey PRIMARY KEY (conversation_id, seq, emoji, user_id),
    -- Each number was assigned once; also the index of the list.
    CONSTRAINT reactions_rev_key UNIQUE (conversation_id, seq, emoji, rev),
    CONSTRAINT reactions_message_fkey FOREIGN KEY (conversation_id, seq)
        REFERENCES messages (conversation_id, seq),
    CONSTRAINT reactions_user_fkey FOREIGN KEY (conversation_id, user_id)
        REFERENCES members (conversation_id, user_id),
    CONSTRAINT reactions_rev CHECK (rev > seq),
    CONSTRAINT reactions_emoji_length CHECK (octet_length(emoji) BETWEEN 1 AND 64)
);

ALTER TABLE conversations
    -- When last_seq rose or the conversation was altered. GET /sync compares it with its cursor.
    -- Not indexed, for the reason that active_at is not: the list of one user's memberships
    -- finds the rows.
    ADD COLUMN touched_at timestamptz NOT NULL DEFAULT clock_timestamp();
