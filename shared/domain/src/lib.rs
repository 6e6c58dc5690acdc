//! What is true in Confab: identifiers, values, rules and limits.
//!
//! No I/O, no async, no serialisation and no clock, so that every rule can be read, and tested,
//! by itself.

mod change;
mod conversation;
mod group;
mod ids;
mod invalid;
pub mod limits;
mod message;
mod presence;
mod rate;
mod receipt;
mod session;
mod text;
mod time;
mod user;

pub use change::{Actor, Change, ChangeRefusal, Reaction};
pub use conversation::{
    Conversation, ConversationType, Member, Membership, Role, direct_conversation_id,
};
pub use group::{GroupAction, GroupRefusal, keeps_an_owner};
pub use ids::{
    ClientId, ConnectionId, ContactRequestId, ConversationId, InviteId, Seq, SessionId, TraceId,
    UserId,
};
pub use invalid::Invalid;
pub use message::{
    Draft, DraftParts, EventType, Mention, Message, MessageKind, Rejection, SystemEvent,
};
pub use presence::{Presence, Status};
pub use rate::TokenBucket;
pub use receipt::Marks;
pub use session::{RefreshTokenState, RefreshVerdict};
pub use text::{
    AvatarUrl, Bio, Description, DisplayName, EmailAddress, Emoji, MessageText, Password, Title,
    Username,
};
pub use time::Timestamp;
pub use user::{Settings, User};
