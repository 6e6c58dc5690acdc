//! The core with a clock, tasks and a network around it.

mod app;
mod http;
#[cfg(test)]
mod tests;
mod websocket;
mod wire;

pub use app::App;
pub use http::{HttpWire, Tokens};
pub use websocket::WebSocket;
pub use wire::{Heard, Wire, WireError, WireSocket};
