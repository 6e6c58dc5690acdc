//! The WebSocket API as handlers see it.

mod answer;
mod frame;
mod serve;

pub use frame::{Closed, Frame, Upgrade};
pub use protocol::frame::Said;
pub use serve::{serve_closed, serve_frames, serve_upgrade};

pub(crate) use answer::{frame_text, problem_frame};
pub(crate) use frame::SUBPROTOCOL;
pub(crate) use serve::{Route, Served};
