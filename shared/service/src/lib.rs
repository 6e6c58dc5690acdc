//! What Confab does, one struct an area, over ports that are every way out of the process.
//!
//! No transport, no vendor, no serialisation: delete those crates and this one still compiles.

mod accounts;
mod archive;
mod catch_up;
mod contacts;
mod conversations;
mod credentials;
mod cut;
mod delivery;
mod erasures;
mod error;
mod groups;
mod hangup;
mod health;
mod mail_requests;
mod messages;
mod pace;
pub mod port;
mod post_office;
mod presences;
mod profiles;
mod proof;
mod public_keys;
mod receipts;
mod revisions;
mod sessions;
mod sockets;
mod sweep;
mod telling;
mod two_factor;
mod typing;
mod value;

pub use accounts::{Accounts, Device, Login, Registration, Registrations, SignedIn};
pub use archive::{Archive, PersistJob};
pub use catch_up::{CatchUp, Traces};
pub use contacts::{Blocking, Blocks, ContactLists, Contacts, Introductions, PeopleSearch};
pub use conversations::{Conversations, GroupDraft, Listed, Opened, Openings};
pub use credentials::{EmailProofs, Passwords, Revocations, SessionList};
pub use delivery::{Announcement, Delivery, FanOut};
pub use erasures::{Departures, Erasures, Exports};
pub use error::{Error, FieldError};
pub use groups::{
    Admissions, Groups, InviteBook, InviteTerms, Invites, MadeInvite, PreferenceBook,
};
pub use hangup::Hangup;
pub use health::Health;
pub use mail_requests::{EmailProofMails, ForgottenPasswords};
pub use messages::{History, Messages, SocketMessages};
pub use post_office::PostOffice;
pub use presences::{
    PresenceAnnouncements, PresencePartings, PresenceStatus, PresenceWatches, Presences,
};
pub use profiles::Profiles;
pub use proof::PasswordProof;
pub use public_keys::PublicKeys;
pub use receipts::{Progress, ReceiptBook, ReceiptMarks, Receipts, SocketReceipts};
pub use revisions::{Reactors, Revisions};
pub use sessions::{Sessions, SignOut};
pub use sockets::{Closings, Heartbeat, Heartbeats, Tickets, Turnout, Upgrades};
pub use sweep::{Sweep, Swept};
pub use telling::Telling;
pub use two_factor::{Enrolment, Proof, SecondFactor, TwoFactorSetup};
pub use typing::Typing;
pub use value::{
    Caller, Connection, ContactRequest, ContactStatus, ConversationEntry, Event, Identity,
    MemberMarks, MessagePage, Page, Preferences, PresenceView, Recipient, SessionView, SyncPage,
    Trace, Window,
};
