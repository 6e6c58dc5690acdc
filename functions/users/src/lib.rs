//! Accounts as their owners and others see them.
//!
//! One module is one deployed function: its handler and its entry.

pub mod get_me;
pub mod get_user;
pub mod list_presence;
pub mod update_me;
