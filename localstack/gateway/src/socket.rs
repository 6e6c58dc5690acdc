//! The WebSocket API: `$connect` decides the upgrade, frames become MESSAGE events, `@connections`
//! writes back, `$disconnect` says goodbye. Behaviour is taken from the API Gateway developer
//! guide ("Working with WebSocket APIs" and its quotas) unless a comment says otherwise.

use std::time::Duration;

mod connect;
mod connection;
mod event;
mod faulty;
mod function_answer;
mod management;
mod message;
mod route;
mod session;
mod writer;

pub(crate) use connect::open;
pub(crate) use connection::Connections;
pub(crate) use faulty::cut;
pub(crate) use management::{list, manage};

/// "Integration timeout: 50 milliseconds – 29 seconds."
const INTEGRATION_TIME: Duration = Duration::from_secs(29);
/// "WebSocket frame size: 32 KB"; a larger one closes the connection with 1009.
const MAX_FRAME_BYTES: usize = 32 * 1024;
/// "Message payload size: 128 KB", to clients and from them.
const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// "Idle connection timeout: 10 minutes" without a message either way. Whether a ping counts is
/// not documented; here it does not, so that nothing comes to depend on it.
const IDLE_TIME: Duration = Duration::from_secs(10 * 60);
/// "Connection duration for WebSocket API: 2 hours."
const LONGEST_TIME: Duration = Duration::from_secs(2 * 60 * 60);
/// "Length, in characters, of the URL for a WebSocket API: 4096."
const MAX_URL_CHARACTERS: usize = 4096;

/// Frames of one socket in flight at one time; then its next frame waits in the kernel's buffer.
/// Our own bound: AWS has only the account's.
const MAX_IN_FLIGHT: usize = 64;
/// Messages and bytes that wait for one client to read; then posts are answered 429
/// (`LimitExceededException`: "the WebSocket client side buffer is full").
const MAX_QUEUED_MESSAGES: usize = 256;
const MAX_QUEUED_BYTES: usize = 1024 * 1024;
/// A client that takes not one message in this time is cut off. In real time always.
const STALL_TIME: Duration = Duration::from_secs(10);
/// How long a closing socket waits for the client's own close frame.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// Why a socket ended, as `$disconnect` reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ending {
    code: u16,
    reason: String,
}

impl Ending {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// The idle limit, the two hours, and the gateway's own stop.
    fn going_away() -> Self {
        Self::new(1001, "Going away")
    }

    /// `DELETE @connections`; code and words as seen in AWS's `$disconnect` events.
    fn deleted() -> Self {
        Self::new(1000, "Connection Closed Normally")
    }

    /// No close frame came: the client's process or its network is gone.
    fn cut() -> Self {
        Self::new(1006, "Connection Closed Abnormally")
    }
}
