//! What stands behind the queues.
//!
//! One module is one deployed function: its handler and its entry.

pub mod fan_out_events;
pub mod persist_messages;
