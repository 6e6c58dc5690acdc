-- Notes how many sockets took the frames of some numbers.
--
-- All parameters are arrays; a note is what stands at one place in each: $1 conversation ids,
-- $2 after, $3 through, $4 devices. Row: none.
INSERT INTO traces (conversation_id, kind, after, through, devices)
SELECT conversation_id, 'pushed', after, through, devices
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[])
    AS push (conversation_id, after, through, devices)
