-- People, their sign-ins and whom they block.
--
-- Constraint names are read by src/error.rs; renaming one changes what a client is told.

CREATE TABLE users (
    id                uuid PRIMARY KEY,
    -- Byte order: lookups by prefix can use the index, and no server's locale changes what is
    -- equal.
    username          text COLLATE "C" NOT NULL,
    email             text COLLATE "C" NOT NULL,
    email_verified    boolean NOT NULL DEFAULT false,
    display_name      text NOT NULL,
    bio               text NOT NULL DEFAULT '',
    share_receipts    boolean NOT NULL DEFAULT true,
    share_last_seen   boolean NOT NULL DEFAULT true,
    -- A PHC string; it never leaves the sign-in path.
    password_hash     text NOT NULL,
    created_at        timestamptz NOT NULL,

    -- Both are kept in lower case, so that a plain unique index is a case-blind one.
    CONSTRAINT users_username_key UNIQUE (username),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_username_shape CHECK (username ~ '^[a-z0-9._-]{3,32}$'),
    CONSTRAINT users_email_shape CHECK (email = lower(email) AND octet_length(email) <= 254),
    CONSTRAINT users_display_name_length CHECK (char_length(display_name) BETWEEN 1 AND 64),
    CONSTRAINT users_bio_length CHECK (char_length(bio) <= 512)
);

CREATE TABLE sessions (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_name   text,
    address       text,
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz NOT NULL,
    -- Set once and never taken back.
    revoked_at    timestamptz,

    CONSTRAINT sessions_device_name_length CHECK (char_length(device_name) <= 64),
    CONSTRAINT sessions_address_length CHECK (char_length(address) <= 64)
);

-- The list of one's sessions, and the cascade.
CREATE INDEX sessions_user_id_idx ON sessions (user_id);

-- All tokens of a session are its family. A spent one is kept until it expires: its later use is
-- how a theft is noticed.
CREATE TABLE refresh_tokens (
    -- Only the digest is kept: who reads this table can sign in nowhere.
    digest      text COLLATE "C" PRIMARY KEY,
    session_id  uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL,
    -- When it was exchanged first; a second exchange does not move it.
    spent_at    timestamptz,

    CONSTRAINT refresh_tokens_digest_shape CHECK (digest ~ '^[0-9a-f]{64}$')
);

-- The family of a session, to clear expired ones away, and the cascade.
CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id);

CREATE TABLE blocks (
    blocker_id  uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blocked_id  uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,

    PRIMARY KEY (blocker_id, blocked_id),
    -- Who blocks themselves could not write in any direct conversation.
    CONSTRAINT blocks_of_another CHECK (blocker_id <> blocked_id)
);

-- "Who blocks me", and the cascade.
CREATE INDEX blocks_blocked_id_idx ON blocks (blocked_id);
