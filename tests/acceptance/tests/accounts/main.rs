//! Accounts that can be trusted: signing up and in, proving an address, passwords, sessions, the
//! second factor, and the mail that belongs to them.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod old_hashes;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod session_list;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod throttling;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod two_factor;
#[cfg(test)]
mod verification;
#[cfg(test)]
mod weak_passwords;

#[cfg(test)]
use acceptance::people;
