//! What is true in Confab: identifiers, values, rules and limits.
//!
//! No I/O, no async, no serialisation and no clock, so that every rule can be read, and tested,
//! by itself.

mod conversation;
mod ids;
mod invalid;
pub mod limits;
mod message;
mod rate;
mod session;
mod text;
mod time;
mod user;

pub use conversation::{
    Conversation, ConversationType, Member, Membership, Role, direct_conversation_id,
};
pub use ids::{ClientId, ConnectionId, ConversationId, Seq, SessionId, UserId};
pub use invalid::Invalid;
pub use message::{
    Draft, DraftParts, EventType, Mention, Message, MessageKind, Rejection, SystemEvent,
};
pub use rate::TokenBucket;
pub use session::{RefreshTokenState, RefreshVerdict};
pub use text::{Bio, DisplayName, EmailAddress, MessageText, Password, Title, Username};
pub use time::Timestamp;
pub use user::{Settings, User};
