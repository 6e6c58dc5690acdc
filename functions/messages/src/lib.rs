//! Sending messages and reading the history.
//!
//! One module is one deployed function: its handler and its entry.

pub mod add_reaction;
pub mod delete_message;
pub mod edit_message;
pub mod list_changes;
pub mod list_messages;
pub mod list_reactions;
pub mod list_receipts;
pub mod pin_message;
pub mod record_receipt;
pub mod remove_reaction;
pub mod send_message;
pub mod trace_message;
pub mod unpin_message;
