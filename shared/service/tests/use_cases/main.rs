//! What the services promise, over ports in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod accounts;
mod archive;
mod catch_up;
mod delivery;
mod doubles;
mod never;
mod openings;
mod presence;
mod quarantine;
mod reading;
mod receipts;
mod revisions;
mod sending;
mod sockets;
mod steps;
mod sweep;
mod telling;
mod turnout;
mod typing;
mod waiting;
