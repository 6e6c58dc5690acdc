//! What stands behind the queues and the schedule.
//!
//! One module is one deployed function: its handler and its entry.

pub mod announce_presence;
pub mod erase_accounts;
pub mod fan_out_events;
pub mod persist_messages;
pub mod record_receipts;
pub mod send_mail;
pub mod sweep_stragglers;
