//! The WebSocket API over real TCP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

#[path = "../front_support/mod.rs"]
mod front_support;

mod client;
mod connect;
mod ends;
mod faults;
mod limits;
mod management;
mod messages;
