//! What people are to each other: profiles, settings, search, contacts, blocks; and what is left of
//! somebody who goes.
