-- What still holds something personal of a user whose account has ended.
--
-- $1 user id, $2 the address that they had. Somebody may have signed up with it again since, so
-- it is looked for in their own row only.
-- Row: counts by table: users, sessions, refresh_tokens, mail_tokens, two_factor, recovery_codes,
-- contacts, contact_requests, blocks, members, traces. Exactly one.
SELECT
    (
        SELECT count(*) FROM users
        WHERE id = $1 AND (
            erased_at IS NULL OR email = $2 OR email NOT LIKE '%@deleted.invalid'
                OR username NOT LIKE 'deleted-%' OR display_name <> 'Deleted user' OR bio <> ''
                OR avatar_url IS NOT NULL OR email_verified OR password_hash <> '!'
        )
    ) AS users,
    (SELECT count(*) FROM sessions WHERE user_id = $1) AS sessions,
    (
        SELECT count(*) FROM refresh_tokens
        JOIN sessions ON sessions.id = refresh_tokens.session_id
        WHERE sessions.user_id = $1
    ) AS refresh_tokens,
    (SELECT count(*) FROM mail_tokens WHERE user_id = $1) AS mail_tokens,
    (SELECT count(*) FROM two_factor WHERE user_id = $1) AS two_factor,
    (SELECT count(*) FROM recovery_codes WHERE user_id = $1) AS recovery_codes,
    (SELECT count(*) FROM contacts WHERE user_id = $1 OR contact_id = $1) AS contacts,
    (SELECT count(*) FROM contact_requests WHERE from_id = $1 OR to_id = $1) AS contact_requests,
    (SELECT count(*) FROM blocks WHERE blocker_id = $1 OR blocked_id = $1) AS blocks,
    (
        SELECT count(*) FROM members
        WHERE user_id = $1 AND left_seq IS NULL
    ) + (
        SELECT count(*) FROM members
        WHERE user_id = $1 AND left_seq IS NOT NULL
            AND (muted_until IS NOT NULL OR archived OR pinned OR hidden_seq IS NOT NULL)
    ) AS members,
    (
        SELECT count(*) FROM traces
        JOIN members m ON m.conversation_id = traces.conversation_id
            AND m.user_id = traces.user_id
        WHERE m.user_id = $1 AND m.left_seq IS NOT NULL
    ) AS traces
