//! Opening conversations and looking at them.
//!
//! One module is one deployed function: its handler and its entry.

pub mod create_conversation;
mod entry;
pub mod get_conversation;
pub mod list_conversations;
pub mod list_members;
pub mod sync_conversations;
