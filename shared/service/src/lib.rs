//! What Confab does, one struct an area, over ports that are every way out of the process.
//!
//! No transport, no vendor, no serialisation: delete those crates and this one still compiles.

mod accounts;
mod archive;
mod conversations;
mod delivery;
mod error;
mod health;
mod messages;
pub mod port;
mod sockets;
mod value;

pub use accounts::{Accounts, Login, ProfileChange, Registration, SignedIn};
pub use archive::{Archive, Job, LaneReport, PersistJob};
pub use conversations::{ConversationPage, Conversations, GroupDraft, MemberPage, Opened};
pub use delivery::{Delivery, FanOut};
pub use error::{Error, FieldError};
pub use health::Health;
pub use messages::{Messages, Refusal, RefusedItem};
pub use sockets::{Heartbeat, IssuedTicket, Sockets};
pub use value::{
    Caller, Connection, ConversationEntry, Event, Identity, MessagePage, Page, Recipient, Window,
};
