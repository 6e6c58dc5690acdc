//! Sending messages and reading the history.
//!
//! One module is one deployed function: its handler and its entry.

pub mod list_changes;
pub mod list_messages;
pub mod send_message;
