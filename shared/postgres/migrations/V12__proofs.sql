-- What proves who somebody is, beside the password.

-- Tokens in mails. One of a kind for each person: another mail replaces the token of the one
-- before, and who uses a token takes the row away.
CREATE TABLE mail_tokens (
    user_id     uuid NOT NULL REFERENCES users (id),
    purpose     text NOT NULL,
    -- Only the digest is kept: who reads this table can take over no account.
    digest      text COLLATE "C" NOT NULL,
    expires_at  timestamptz NOT NULL,

    CONSTRAINT mail_tokens_pkey PRIMARY KEY (user_id, purpose),
    CONSTRAINT mail_tokens_digest_key UNIQUE (digest),
    CONSTRAINT mail_tokens_digest_shape CHECK (digest ~ '^[0-9a-f]{64}$'),
    CONSTRAINT mail_tokens_purpose CHECK (purpose IN ('verify_email', 'reset_password'))
);

-- One-time codes of an authenticator app.
CREATE TABLE two_factor (
    user_id        uuid PRIMARY KEY REFERENCES users (id),
    -- Encrypted with a key that the database does not have.
    sealed_secret  text NOT NULL,
    -- Asked for at sign-in; false until a first code has shown that the app has the secret.
    is_on          boolean NOT NULL DEFAULT false,
    -- The time step of the last code that was used: a code counts once.
    last_step      bigint NOT NULL DEFAULT 0,

    CONSTRAINT two_factor_last_step CHECK (last_step >= 0)
);

-- For who has lost the app. A spent one is gone; turning the second factor off takes the rest.
CREATE TABLE recovery_codes (
    user_id  uuid NOT NULL REFERENCES two_factor (user_id) ON DELETE CASCADE,
    -- Eighty bits cannot be guessed, so a digest needs no salt and no work.
    digest   text COLLATE "C" NOT NULL,

    CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, digest),
    CONSTRAINT recovery_codes_digest_shape CHECK (digest ~ '^[0-9a-f]{64}$')
);
