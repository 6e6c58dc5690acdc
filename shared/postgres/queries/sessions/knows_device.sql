-- Whether a user ever had a session on such a device from such an address.
--
-- $1 user id, $2 device name or null, $3 address or null. Row: is_known. Exactly one.
SELECT EXISTS (
    SELECT FROM sessions
    WHERE user_id = $1 AND device_name IS NOT DISTINCT FROM $2
        AND address IS NOT DISTINCT FROM $3
) AS is_known
