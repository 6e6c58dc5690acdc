-- Conversations and who is in them. Every writer of a conversation, its members or its messages
-- locks the conversation's row first (SELECT … FOR UPDATE, several in the order of their ids).

CREATE TABLE conversations (
    id           uuid PRIMARY KEY,
    type         text NOT NULL,
    title        text,
    description  text,
    avatar_url   text,
    created_by   uuid NOT NULL REFERENCES users (id),
    -- The creator's own name of a group, so that a repeated request finds it.
    client_id    uuid,
    -- The counter of the one total order: the highest number given to a message or a change.
    last_seq     bigint NOT NULL DEFAULT 0,
    -- The time of the last message, or of the creation: the order of the list. No index has it,
    -- on purpose. Every message writes it, and as long as no written column is indexed, Postgres
    -- updates the row in place (HOT). The list begins at one user's memberships, which an index
    -- finds, and sorts those few.
    active_at    timestamptz NOT NULL,
    -- The last change of what the conversation is; messages do not touch it.
    changed_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,

    CONSTRAINT conversations_type CHECK (type IN ('direct', 'group')),
    CONSTRAINT conversations_last_seq CHECK (last_seq >= 0),
    CONSTRAINT conversations_group_parts CHECK (
        (type = 'group') = (title IS NOT NULL) AND (type = 'group') = (client_id IS NOT NULL)
    ),
    CONSTRAINT conversations_title_length CHECK (char_length(title) BETWEEN 1 AND 128),
    -- Direct conversations have no client_id and do not meet here: nulls are distinct.
    CONSTRAINT conversations_created_by_client_id_key UNIQUE (created_by, client_id)
) WITH (fillfactor = 70); -- room for the counter's updates in place

CREATE TABLE members (
    conversation_id  uuid NOT NULL REFERENCES conversations (id),
    user_id          uuid NOT NULL REFERENCES users (id),
    role             text NOT NULL,
    -- They see what is numbered in (joined_seq, left_seq]. Null: still in. A row is never
    -- deleted, because the messages of who left stay.
    joined_seq       bigint NOT NULL,
    left_seq         bigint,
    delivered_seq    bigint NOT NULL,
    read_seq         bigint NOT NULL,
    muted_until      timestamptz,
    archived         boolean NOT NULL DEFAULT false,
    pinned           boolean NOT NULL DEFAULT false,
    joined_at        timestamptz NOT NULL,
    changed_at       timestamptz NOT NULL,

    PRIMARY KEY (conversation_id, user_id),
    CONSTRAINT members_role CHECK (role IN ('owner', 'admin', 'member')),
    -- Joining sets all three marks to last_seq, and marks only rise.
    CONSTRAINT members_marks CHECK (
        0 <= joined_seq AND joined_seq <= read_seq AND read_seq <= delivered_seq
    ),
    CONSTRAINT members_left_after_joining CHECK (left_seq >= joined_seq)
) WITH (fillfactor = 80);

-- A user's list. Only who is in counts.
CREATE INDEX members_active_of_user_idx ON members (user_id) WHERE left_seq IS NULL;

-- The members of a conversation in the order they joined, and whom a message is told to.
CREATE INDEX members_active_in_order_idx ON members (conversation_id, joined_at, user_id)
    WHERE left_seq IS NULL;
