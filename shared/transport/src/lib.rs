//! How the world reaches Confab, and the composition root.
//!
//! Handlers see only our own [`http::Request`], [`socket::Frame`] and [`queue::Batch`]; the Lambda
//! event types live in one file (`lambda.rs`), the environment in another (`config.rs`).

mod ambient;
pub mod config;
pub mod connect;
mod crypto;
mod entry;
pub mod http;
mod lambda;
pub mod queue;
mod quota;
mod rejection;
pub mod schedule;
pub mod socket;
mod telemetry;
mod usage;

pub use rejection::Rejection;
