//! The reference client of Confab.
//!
//! [`core`] is what a client must do, as a pure state machine; [`shell`] runs it over HTTP and
//! WebSocket. A client in another language copies the first and replaces the second.

pub mod core;
pub mod shell;
