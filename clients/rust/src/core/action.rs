//! What goes out of the core, and what comes back in.

use protocol::body::{ChangeList, Sync};
use protocol::frame::ClientFrame;
use protocol::value::MemberMarks;
use uuid::Uuid;

/// Something that only the shell around can do. None of them is waited for.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Take a ticket and open a socket with it; then tell `opened` or `closed` with this number.
    OpenSocket { socket: u64 },
    /// The core has done with this socket; nothing needs to be told.
    CloseSocket { socket: u64 },
    /// Say this on that socket. What gets lost is noticed.
    Say { socket: u64, frame: ClientFrame },
    /// A request over HTTP; then tell `answered` with this number.
    Ask { request: u64, ask: Ask },
}

/// A request over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// `GET /v1/sync?cursor=`
    Sync { cursor: Option<String> },
    /// `GET /v1/conversations/{id}/changes?after=`
    Changes { conversation: Uuid, after: i64 },
    /// `GET /v1/conversations/{id}/receipts`
    Receipts { conversation: Uuid },
}

/// A good answer to an [`Ask`], of its kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Sync(Sync),
    Changes(ChangeList),
    Receipts(Vec<MemberMarks>),
}

/// Why there is no good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// 404: one is not a member (any more).
    #[error("there is no such conversation for this person")]
    Gone,
    /// 410: the sync cursor is too old.
    #[error("the cursor is too old")]
    Expired,
    /// Anything that may go better next time.
    #[error("the request failed")]
    Failed,
}

/// Something that whoever renders may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message is shown for the first time; each number at most once.
    Shown { conversation: Uuid, seq: i64 },
    /// A message that was shown has been edited, deleted, reacted to or pinned.
    Changed { conversation: Uuid, seq: i64, rev: i64 },
    /// One's own message is in the queue.
    Accepted { conversation: Uuid, client_id: Uuid },
    /// One's own message is in history.
    Stored { conversation: Uuid, client_id: Uuid, seq: i64 },
    /// One's own message will not become history.
    Refused { conversation: Uuid, client_id: Uuid, code: String },
    /// Something else of the conversation: its title, unread count, ticks, or who types.
    Conversation { conversation: Uuid },
    /// One is not a member any more, or has hidden it.
    Removed { conversation: Uuid },
    /// Somebody on the screen came, went, or may not be seen any more.
    Presence { user: Uuid },
    /// Somebody asked to be a contact, became one, declined or is one no more: what
    /// `GET /v1/contacts` and `GET /v1/contact-requests` answer has changed.
    Contact { user: Uuid, status: String },
    /// A socket is open, and none was before.
    Online,
    /// The last socket has ended.
    Offline,
    /// The server wants this app offline: its session has ended, or ten newer sockets are open.
    Ended { reason: String },
}
