//! What Confab does, one struct an area, over ports that are every way out of the process.
//!
//! No transport, no vendor, no serialisation: delete those crates and this one still compiles.

mod accounts;
mod archive;
mod catch_up;
mod conversations;
mod cut;
mod delivery;
mod error;
mod hangup;
mod health;
mod messages;
mod pace;
pub mod port;
mod presences;
mod profiles;
mod receipts;
mod revisions;
mod sessions;
mod sockets;
mod sweep;
mod typing;
mod value;

pub use accounts::{Accounts, Device, Login, Registration, SignedIn};
pub use archive::{Archive, PersistJob};
pub use catch_up::{CatchUp, Traces};
pub use conversations::{Conversations, GroupDraft, Listed, Opened, Openings};
pub use delivery::{Announcement, Delivery, FanOut};
pub use error::{Error, FieldError};
pub use hangup::Hangup;
pub use health::Health;
pub use messages::{History, Messages, SocketMessages};
pub use presences::{PresenceAnnouncements, PresenceStatus, PresenceWatches, Presences};
pub use profiles::Profiles;
pub use receipts::{Progress, ReceiptBook, ReceiptMarks, Receipts, SocketReceipts};
pub use revisions::{Reactors, Revisions};
pub use sessions::{Sessions, SignOut};
pub use sockets::{Closings, Heartbeat, Heartbeats, Tickets, Turnout, Upgrades};
pub use sweep::{Sweep, Swept};
pub use typing::Typing;
pub use value::{
    Caller, Connection, ConversationEntry, Event, Identity, MemberMarks, MessagePage, Page,
    PresenceView, Recipient, SyncPage, Trace, Window,
};
