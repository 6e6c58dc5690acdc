//! Opening conversations and looking at them.
//!
//! One module is one deployed function: its handler and its entry.

pub mod accept_invite;
pub mod add_members;
pub mod change_role;
pub mod create_conversation;
pub mod create_invite;
pub mod delete_conversation;
pub mod edit_conversation;
mod entry;
pub mod get_conversation;
pub mod list_conversations;
pub mod list_invites;
pub mod list_members;
pub mod preview_invite;
pub mod remove_member;
pub mod revoke_invite;
pub mod set_preferences;
pub mod sync_conversations;
