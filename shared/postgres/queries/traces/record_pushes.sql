-- Notes how many sockets took the frames of some numbers, and when. A clock that is ahead of this
-- one dates nothing later than its note.
--
-- All parameters are arrays; a note is what stands at one place in each: $1 conversation ids,
-- $2 after, $3 through, $4 devices, $5 times (null: now). Row: none.
INSERT INTO traces (conversation_id, kind, after, through, devices, at)
SELECT conversation_id, 'pushed', after, through, devices, least(pushed_at, clock_timestamp())
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[], $5::timestamptz[])
    AS push (conversation_id, after, through, devices, pushed_at)
