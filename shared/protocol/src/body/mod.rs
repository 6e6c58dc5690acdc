//! HTTP bodies. Requests have raw, optional fields and a `parse`; answers are exact.

use domain::Invalid;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Fields;

mod account;
mod conversation;
mod credential;
mod group;
mod message;
mod people;

pub use account::{
    Jwk, Jwks, Login, Me, ParsedLogin, ParsedRegister, ParsedUpdateMe, Profile, Refresh, Register,
    Settings, SignedIn, SocketTicket, UpdateMe, UpdateSettings,
};
pub use conversation::{
    ConversationEntry, CreateConversation, Member, My, ParsedCreateConversation, Sync,
};
pub use credential::{
    ChangePassword, ConfirmTwoFactor, ForgotPassword, ProvePassword, RecoveryCodes, ResetPassword,
    Session, TwoFactorEnrolment, VerifyEmail,
};
pub use group::{
    AddMembers, ChangePreferences, ChangeRole, CreateInvite, CreatedInvite, EditConversation,
    Invite, InviteList, InvitePreview, ParsedCreateInvite, ParsedEditConversation,
    ParsedPreferences,
};
pub use message::{
    ChangeList, EditMessage, MessageAccepted, MessageList, MessageTrace, ReceiptList, TracedMember,
    TracedPushes,
};
pub use people::{AskContact, AskedContact, ExportPart};

/// One part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct List<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

/// `GET /health/ready`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReport {
    pub status: String,
    pub down: Vec<String>,
}

/// `application/problem+json` (RFC 9457) with our own members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub problem_type: String,
    pub title: String,
    pub status: u16,
    pub code: String,
    pub detail: String,
    pub request_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<ProblemField>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// One refused field: its path, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemField {
    pub name: String,
    pub code: String,
    pub detail: String,
}

/// `GET /v1/presence`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceList {
    pub items: Vec<crate::value::Presence>,
}

/// A field that is there, and perhaps null: absent is the default, `None`.
fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// An object or null. Where every field may be absent, a list would be read as an object, too.
fn object<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: serde::de::DeserializeOwned,
    D: Deserializer<'de>,
{
    let fields = Option::<serde_json::Map<String, serde_json::Value>>::deserialize(deserializer)?;
    let read = |fields| serde_json::from_value(serde_json::Value::Object(fields));
    fields.map(read).transpose().map_err(serde::de::Error::custom)
}

/// As [`Fields::optional`], where null says something else than absence.
fn nullable<T>(
    fields: &mut Fields,
    name: &str,
    raw: &Option<Option<String>>,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Option<Option<T>> {
    match raw {
        None => None,
        Some(None) => Some(None),
        Some(Some(raw)) => fields.check(name, parse(raw)).map(Some),
    }
}
