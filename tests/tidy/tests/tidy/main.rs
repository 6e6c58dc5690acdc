//! The house rules of the repository, asserted. A fact that is written twice has its test here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod crates;
mod documents;
mod environment;
mod headers;
mod limits;
mod permissions;
mod prose;
mod reach;
mod repository;
mod scripts;
mod sizes;
mod table_keys;
mod template;
mod wiring;
mod words;
mod yaml;
