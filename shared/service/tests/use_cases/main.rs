//! What the services promise, over ports in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod accounts;
mod archive;
mod delivery;
mod doubles;
mod openings;
mod quarantine;
mod reading;
mod sending;
mod sockets;
mod waiting;
