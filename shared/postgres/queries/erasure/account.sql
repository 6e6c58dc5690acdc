-- Ends an account, under the lock of lock_account.sql: nothing of the person is left in its row,
-- and everything that hangs on it goes, but not memberships and what was said.
--
-- Of the sessions that end with it, bare ids stay until forget_sessions.sql, and are answered by
-- every repetition: their sockets have to be ended, whatever fails in between.
--
-- The names are made of chance and not of the user id: somebody could have taken those before.
--
-- $1 user id, $2 now.
-- Row: session_ids uuid[] (those that ended with it), and counts of what went: users, sessions,
-- mail_tokens, two_factor, contacts, contact_requests, blocks. Exactly one.
WITH emptied AS (
    UPDATE users
    SET username = 'deleted-' || left(replace(gen_random_uuid()::text, '-', ''), 24),
        email = gen_random_uuid() || '@deleted.invalid', email_verified = false,
        display_name = 'Deleted user', bio = '', avatar_url = NULL, share_receipts = false,
        share_last_seen = false, password_hash = '!', erased_at = $2
    WHERE id = $1 AND erased_at IS NULL
    RETURNING id
), ended_before AS (
    DELETE FROM sessions
    WHERE user_id = $1 AND revoked_at IS NOT NULL AND EXISTS (SELECT FROM emptied)
    RETURNING id
), ended AS (
    UPDATE sessions SET revoked_at = coalesce(revoked_at, $2), device_name = NULL, address = NULL
    WHERE user_id = $1 AND (revoked_at IS NULL OR NOT EXISTS (SELECT FROM emptied))
    RETURNING id
), spent AS (
    DELETE FROM refresh_tokens USING ended WHERE refresh_tokens.session_id = ended.id
), tokens AS (
    DELETE FROM mail_tokens WHERE user_id = $1 RETURNING user_id
), factors AS (
    DELETE FROM two_factor WHERE user_id = $1 RETURNING user_id
), met AS (
    DELETE FROM contacts WHERE user_id = $1 OR contact_id = $1 RETURNING user_id
), asked AS (
    DELETE FROM contact_requests WHERE from_id = $1 OR to_id = $1 RETURNING id
), barred AS (
    DELETE FROM blocks WHERE blocker_id = $1 OR blocked_id = $1 RETURNING blocker_id
)
SELECT ARRAY(SELECT id FROM ended) AS session_ids,
    (SELECT count(*) FROM emptied) AS users,
    (SELECT count(*) FROM ended_before) + (SELECT count(*) FROM ended) AS sessions,
    (SELECT count(*) FROM tokens) AS mail_tokens,
    (SELECT count(*) FROM factors) AS two_factor,
    (SELECT count(*) FROM met) AS contacts,
    (SELECT count(*) FROM asked) AS contact_requests,
    (SELECT count(*) FROM barred) AS blocks
