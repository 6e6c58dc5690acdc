-- The history.

CREATE TABLE messages (
    conversation_id  uuid NOT NULL,
    seq              bigint NOT NULL,
    -- The number of the last change; seq when there was none.
    rev              bigint NOT NULL,
    client_id        uuid NOT NULL,
    sender_id        uuid NOT NULL,
    kind             text NOT NULL,
    text             text,
    -- The seq of another message here. No foreign key: it is what the sender said, true or not.
    reply_to         bigint,
    -- [{"user_id", "start", "length"}]
    mentions         jsonb NOT NULL DEFAULT '[]',
    -- {"type", "actor_id", "user_ids"}, in system messages only.
    event            jsonb,
    pinned           boolean NOT NULL DEFAULT false,
    -- The client's clock: shown, never trusted.
    sent_at          timestamptz,
    created_at       timestamptz NOT NULL,
    edited_at        timestamptz,
    deleted_at       timestamptz,

    -- One total order.
    CONSTRAINT messages_pkey PRIMARY KEY (conversation_id, seq),
    -- A message sent twice is stored once.
    CONSTRAINT messages_client_id_key UNIQUE (conversation_id, sender_id, client_id),
    -- Each number was assigned once; also the index of the feed of changes.
    CONSTRAINT messages_rev_key UNIQUE (conversation_id, rev),
    -- Only who is or was a member has messages. One key in place of two, to the conversation and
    -- to the user: the member's row has both.
    CONSTRAINT messages_sender_fkey FOREIGN KEY (conversation_id, sender_id)
        REFERENCES members (conversation_id, user_id),
    CONSTRAINT messages_numbers CHECK (seq >= 1 AND rev >= seq),
    CONSTRAINT messages_kind CHECK (kind IN ('text', 'image', 'file', 'audio', 'video', 'system')),
    CONSTRAINT messages_event_of_system CHECK ((kind = 'system') = (event IS NOT NULL)),
    CONSTRAINT messages_text_length CHECK (octet_length(text) BETWEEN 1 AND 8000),
    CONSTRAINT messages_text_of_text CHECK (
        kind <> 'text' OR text IS NOT NULL OR deleted_at IS NOT NULL
    ),
    CONSTRAINT messages_reply_to CHECK (reply_to >= 1),
    CONSTRAINT messages_mentions CHECK (jsonb_typeof(mentions) = 'array'),
    -- A tombstone keeps its place and nothing else.
    CONSTRAINT messages_tombstone CHECK (
        deleted_at IS NULL OR (text IS NULL AND mentions = '[]')
    )
);
