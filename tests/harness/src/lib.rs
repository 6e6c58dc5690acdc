//! Starts whole systems and speaks to them as apps do: over HTTP and WebSocket.
//!
//! [`System`] is one running Confab, [`Client`] one signed-in session, [`Socket`] one socket seen
//! frame by frame, and [`Device`] an app that follows the client's rules. Everything that waits
//! has a deadline and says what it saw when that has passed.

mod authenticator;
mod chance;
pub mod chaos;
mod client;
pub mod command;
pub mod cost;
mod database;
mod device;
mod documents;
mod emulators;
mod environment;
mod eventually;
mod failure;
pub mod faults;
mod http;
mod live_table;
mod log;
mod mail;
pub mod postgres;
mod processes;
pub mod proxy;
mod socket;
mod system;

pub use crate::client::{Account, Client, PASSWORD, text_draft};
pub use ::client::core::State;
pub use authenticator::Authenticator;
pub use chance::{now_unix_ms, unique_id, unique_name};
pub use database::Database;
pub use device::Device;
pub use emulators::Emulators;
pub use environment::{aws_endpoint_url, binaries_directory, root_directory, test_database_url};
pub use eventually::{WAIT, eventually};
pub use failure::{Failure, Result};
pub use http::{Answer, Api};
pub use mail::{Mail, Mailbox};
pub use processes::{FunctionStatus, ProcessStatus, kill_process};
pub use socket::{Heard, Socket};
pub use system::{Options, System, functions_of};
