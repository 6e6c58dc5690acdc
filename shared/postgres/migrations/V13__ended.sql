-- What ended long ago is forgotten by the sweep; these find it, the oldest first.

-- When a session was revoked, else when it was used for the last time.
CREATE INDEX sessions_ended_idx ON sessions ((coalesce(revoked_at, last_used_at)));

CREATE INDEX mail_tokens_expires_at_idx ON mail_tokens (expires_at);

-- Null is passed over by least().
CREATE INDEX invites_ended_idx ON invites ((least(expires_at, revoked_at)));
