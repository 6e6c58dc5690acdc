//! What the services promise, over ports in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod accounts;
mod archive;
mod catch_up;
mod contacts;
mod delivery;
mod doubles;
mod erasures;
mod farewells;
mod groups;
mod hanging_up;
mod invites;
mod mailing;
mod never;
mod openings;
mod partings;
mod password_races;
mod passwords;
mod presence;
mod quarantine;
mod reading;
mod receipts;
mod revisions;
mod sending;
mod session_list;
mod signing_in;
mod sockets;
mod steps;
mod sweep;
mod telling;
mod told_late;
mod turnout;
mod two_factor;
mod typing;
mod waiting;
