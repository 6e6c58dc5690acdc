//! What Confab does, one struct an area, over ports that are every way out of the process.
//!
//! No transport, no vendor, no serialisation: delete those crates and this one still compiles.

mod accounts;
mod archive;
mod conversations;
mod cut;
mod delivery;
mod error;
mod hangup;
mod health;
mod messages;
pub mod port;
mod profiles;
mod sessions;
mod sockets;
mod value;

pub use accounts::{Accounts, Device, Login, Registration, SignedIn};
pub use archive::{Archive, PersistJob};
pub use conversations::{Conversations, GroupDraft, Listed, Opened, Openings};
pub use delivery::{Announcement, Delivery, FanOut};
pub use error::{Error, FieldError};
pub use hangup::Hangup;
pub use health::Health;
pub use messages::{History, Messages, SocketMessages};
pub use profiles::Profiles;
pub use sessions::{Sessions, SignOut};
pub use sockets::{Closings, Heartbeat, Heartbeats, Tickets, Upgrades};
pub use value::{
    Caller, Connection, ConversationEntry, Event, Identity, MessagePage, Page, Recipient, Window,
};
