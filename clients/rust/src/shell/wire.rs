//! What the shell needs of a network.

use std::future::Future;

use protocol::body::{ChangeList, Sync};
use protocol::frame::{ClientFrame, ServerFrame};
use protocol::value::MemberMarks;
use serde_json::Value;
use uuid::Uuid;

use crate::core::AskError;

/// Why something could not be done over the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// 404: not there, for this person.
    #[error("there is no such thing for this person")]
    Gone,
    /// 410: a cursor too old; 422: one that is none.
    #[error("the cursor is too old")]
    Expired,
    /// 401, though the access token was refreshed.
    #[error("the session has ended")]
    SignedOut,
    /// Anything that may go better next time.
    #[error("{0}")]
    Failed(String),
}

impl WireError {
    pub(crate) fn as_ask_error(&self) -> AskError {
        match self {
            Self::Gone => AskError::Gone,
            Self::Expired => AskError::Expired,
            Self::SignedOut | Self::Failed(_) => AskError::Failed,
        }
    }
}

/// What can come out of a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Frame(Box<ServerFrame>),
    /// API Gateway's own words: a function failed behind it.
    Gateway,
    /// Nobody here understands it, and why not.
    Unreadable(String),
    /// It has ended.
    Closed,
}

impl Heard {
    /// A text frame as it stands in the protocol.
    pub fn read(text: &str) -> Self {
        match serde_json::from_str::<ServerFrame>(text) {
            Ok(frame) => Self::Frame(Box::new(frame)),
            Err(why) => {
                let other: Value = serde_json::from_str(text).unwrap_or_default();
                let is_gateway = other.get("type").is_none() && other.get("message").is_some();
                if is_gateway { Self::Gateway } else { Self::Unreadable(why.to_string()) }
            }
        }
    }
}

/// One session's way to the server. It refreshes its access token by itself.
pub trait Wire: Send + std::marker::Sync + 'static {
    type Socket: WireSocket;

    /// Takes a ticket and opens a socket with it.
    fn open(&self) -> impl Future<Output = Result<Self::Socket, WireError>> + Send;

    /// `GET /v1/sync`
    fn sync(&self, cursor: Option<String>) -> impl Future<Output = Result<Sync, WireError>> + Send;

    /// `GET /v1/conversations/{id}/changes?after=`
    fn changes(
        &self,
        conversation: Uuid,
        after: i64,
    ) -> impl Future<Output = Result<ChangeList, WireError>> + Send;

    /// `GET /v1/conversations/{id}/receipts`
    fn receipts(
        &self,
        conversation: Uuid,
    ) -> impl Future<Output = Result<Vec<MemberMarks>, WireError>> + Send;
}

/// One open socket.
pub trait WireSocket: Send + 'static {
    /// # Errors
    /// The socket has ended.
    fn say(&mut self, frame: &ClientFrame) -> impl Future<Output = Result<(), WireError>> + Send;

    /// The next thing that comes. Nothing is lost when this is not waited for to its end.
    fn hear(&mut self) -> impl Future<Output = Heard> + Send;

    /// Closes it as a well-behaved client does.
    fn close(&mut self) -> impl Future<Output = ()> + Send;
}
