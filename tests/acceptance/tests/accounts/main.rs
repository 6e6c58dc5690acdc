//! Accounts that can be trusted: signing up and in, proving an address, passwords, sessions, the
//! second factor, and the mail that belongs to them.
