-- Forgets what ended before a moment, the oldest first: sessions with their refresh tokens, tokens
-- of mails, invites, contact requests that nobody answered. Two sweeps at once take different ones;
-- what somebody has locked is left.
--
-- $1 before, $2 rows of each kind at most. Row: forgotten, of all kinds. Exactly one.
WITH old_sessions AS (
    SELECT id FROM sessions
    WHERE coalesce(revoked_at, last_used_at) < $1
    ORDER BY coalesce(revoked_at, last_used_at)
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), old_tokens AS (
    SELECT digest FROM mail_tokens
    WHERE expires_at < $1
    ORDER BY expires_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), old_invites AS (
    SELECT id FROM invites
    WHERE least(expires_at, revoked_at) < $1
    ORDER BY least(expires_at, revoked_at)
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), old_requests AS (
    SELECT id FROM contact_requests
    WHERE created_at < $1
    ORDER BY created_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), sessions_gone AS (
    DELETE FROM sessions WHERE id = ANY (ARRAY(SELECT id FROM old_sessions)) RETURNING 1
), tokens_gone AS (
    DELETE FROM mail_tokens WHERE digest = ANY (ARRAY(SELECT digest FROM old_tokens)) RETURNING 1
), invites_gone AS (
    DELETE FROM invites WHERE id = ANY (ARRAY(SELECT id FROM old_invites)) RETURNING 1
), requests_gone AS (
    DELETE FROM contact_requests
    WHERE id = ANY (ARRAY(SELECT id FROM old_requests))
    RETURNING 1
)
SELECT (SELECT count(*) FROM sessions_gone) + (SELECT count(*) FROM tokens_gone)
    + (SELECT count(*) FROM invites_gone) + (SELECT count(*) FROM requests_gone) AS forgotten
