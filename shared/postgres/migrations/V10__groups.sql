-- What a group is beside its title, hiding, and invites.

ALTER TABLE conversations
    -- Who joins later sees what was said before.
    ADD COLUMN shares_history boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT conversations_description_length CHECK (
        char_length(description) BETWEEN 1 AND 1024
    ),
    -- It is shown by other people's apps.
    ADD CONSTRAINT conversations_avatar_url_shape CHECK (
        avatar_url ~ '^https://' AND octet_length(avatar_url) <= 2048
    ),
    -- A direct conversation is its two people and nothing else.
    ADD CONSTRAINT conversations_direct_is_bare CHECK (
        type = 'group'
            OR (description IS NULL AND avatar_url IS NULL AND NOT shares_history)
    );

ALTER TABLE members
    -- Hidden from their list as long as no message has a greater number. Null: not hidden.
    ADD COLUMN hidden_seq bigint,
    ADD CONSTRAINT members_hidden_seq CHECK (hidden_seq >= 0);

CREATE TABLE invites (
    id               uuid PRIMARY KEY,
    conversation_id  uuid NOT NULL,
    creator_id       uuid NOT NULL,
    -- Only the digest is kept: who reads this table can join nothing.
    digest           text COLLATE "C" NOT NULL,
    uses             bigint NOT NULL DEFAULT 0,
    -- Null: as often as one likes.
    max_uses         bigint,
    expires_at       timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    -- Set once and never taken back.
    revoked_at       timestamptz,

    CONSTRAINT invites_digest_key UNIQUE (digest),
    CONSTRAINT invites_digest_shape CHECK (digest ~ '^[0-9a-f]{64}$'),
    -- Only who is or was a member has made one.
    CONSTRAINT invites_creator_fkey FOREIGN KEY (conversation_id, creator_id)
        REFERENCES members (conversation_id, user_id),
    -- Counted under the conversation's lock; this is what the last use meets when it is not.
    CONSTRAINT invites_uses CHECK (0 <= uses AND uses <= max_uses),
    CONSTRAINT invites_max_uses CHECK (max_uses >= 1)
);

-- The list of a group's invites.
CREATE INDEX invites_of_conversation_idx ON invites (conversation_id, created_at)
    WHERE revoked_at IS NULL;
