-- Contacts, looking for people, and the end of an account.

ALTER TABLE users
    ADD COLUMN avatar_url text,
    -- The account has ended. The row stays, because messages stay: a name that says nothing, and
    -- nothing of the person. Set once, in the transaction that empties the row.
    --
    -- Who writes a row for a person locks the person's row first (FOR KEY SHARE, or FOR NO KEY
    -- UPDATE) and looks at this column: ending an account changes the keys of the row, so one of
    -- the two waits for the other, and nothing is written for who is gone.
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT users_avatar_url_shape CHECK (
        avatar_url ~ '^https://' AND octet_length(avatar_url) <= 2048
    ),
    ADD CONSTRAINT users_erased_is_empty CHECK (
        erased_at IS NULL
            OR (bio = '' AND avatar_url IS NULL AND NOT email_verified AND password_hash = '!')
    );

-- Looking for people by the beginning of their display name. The one of user names is the key.
CREATE INDEX users_display_name_idx ON users (lower(display_name) text_pattern_ops)
    WHERE erased_at IS NULL;

-- Wishes to be somebody's contact that wait for an answer. An answered one is gone.
CREATE TABLE contact_requests (
    id          uuid PRIMARY KEY,
    from_id     uuid NOT NULL REFERENCES users (id),
    to_id       uuid NOT NULL REFERENCES users (id),
    created_at  timestamptz NOT NULL,

    CONSTRAINT contact_requests_of_another CHECK (from_id <> to_id)
);

-- One between two people, whoever asked: when the other asks, too, they are contacts. Writers hold
-- both people's rows, so nobody ever meets this key; it says what holds.
CREATE UNIQUE INDEX contact_requests_pair_key ON contact_requests
    (least(from_id, to_id), greatest(from_id, to_id));

-- The list of both sides.
CREATE INDEX contact_requests_from_id_idx ON contact_requests (from_id, created_at);
CREATE INDEX contact_requests_to_id_idx ON contact_requests (to_id, created_at);

-- Two rows for each pair, so that one key has each person's list.
CREATE TABLE contacts (
    user_id     uuid NOT NULL REFERENCES users (id),
    contact_id  uuid NOT NULL REFERENCES users (id),
    since       timestamptz NOT NULL,

    CONSTRAINT contacts_pkey PRIMARY KEY (user_id, contact_id),
    CONSTRAINT contacts_of_another CHECK (user_id <> contact_id)
);

-- Whose contact somebody is, for the end of an account.
CREATE INDEX contacts_contact_id_idx ON contacts (contact_id);
