//! The life of a socket and what is said on it.
//!
//! One module is one deployed function: its handler and its entry.

pub mod create_socket_ticket;
pub mod socket_connect;
pub mod socket_disconnect;
pub mod socket_heartbeat;
pub mod socket_message;
pub mod socket_signal;
