//! Accounts as their owners and others see them.
//!
//! One module is one deployed function: its handler and its entry.

pub mod accept_contact;
pub mod ask_contact;
pub mod block_user;
pub mod decline_contact;
pub mod erase_me;
pub mod export_me;
pub mod get_me;
pub mod get_user;
pub mod list_blocks;
pub mod list_contact_requests;
pub mod list_contacts;
pub mod list_presence;
pub mod remove_contact;
pub mod search_users;
mod shown;
pub mod unblock_user;
pub mod update_me;
