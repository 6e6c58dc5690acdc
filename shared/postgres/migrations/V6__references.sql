-- What a message speaks of. A rule as a foreign key is one, but it depends on who writes.
--
-- A function, and not a part of queries/messages/append.sql: that statement is planned anew for
-- each batch, and these lookups, which few messages need, were a twelfth of its work. The
-- plans of a function are kept by the session.
--
-- Null when all is well, else the verdict. Stable: it sees what the statement sees that calls it,
-- which is what there is under the conversation's lock.
CREATE FUNCTION message_reference_fault(
    conversation uuid, joined bigint, answered bigint, mentions jsonb
) RETURNS text STABLE LANGUAGE plpgsql AS $$
BEGIN
    -- What the sender cannot see is not there to be answered.
    IF answered IS NOT NULL AND NOT EXISTS (
        SELECT FROM messages m
        WHERE m.conversation_id = conversation AND m.seq = answered AND m.seq > joined
    ) THEN
        RETURN 'invalid_reply_to';
    END IF;
    -- Who left may still be spoken of.
    IF EXISTS (
        SELECT FROM jsonb_array_elements(mentions) AS mention
        WHERE NOT EXISTS (
            SELECT FROM members m
            WHERE m.conversation_id = conversation
                AND m.user_id = (mention ->> 'user_id')::uuid
        )
    ) THEN
        RETURN 'invalid_mention';
    END IF;
    RETURN NULL;
END
$$;
