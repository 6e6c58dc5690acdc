//! In-memory ports, a frozen clock and the contract suites that hold the fakes to the real thing.
//! For tests only.

pub mod ambient;
pub mod contract;
pub mod history;
pub mod live;
pub mod mail;
pub mod proof;
pub mod world;
