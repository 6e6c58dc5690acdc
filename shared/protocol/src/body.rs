//! HTTP bodies. Requests have raw, optional fields and a `parse`; answers are exact.

use std::str::FromStr;

use domain::{
    Bio, ClientId, ConversationType, DisplayName, EmailAddress, Invalid, Password, Title, UserId,
    Username, limits,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Fields;
use crate::value::{Conversation, Message};

/// `POST /v1/auth/register`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Register {
    pub username: Option<String>,
    pub email: Option<String>,
    pub password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

pub struct ParsedRegister {
    pub username: Username,
    pub email: EmailAddress,
    pub password: Password,
    pub display_name: Option<DisplayName>,
}

impl Register {
    pub fn parse(self) -> Result<ParsedRegister, Fields> {
        let mut fields = Fields::default();
        let username = fields.required("username", self.username.as_deref(), Username::parse);
        let email = fields.required("email", self.email.as_deref(), EmailAddress::parse);
        let password = fields.required("password", self.password, Password::parse);
        let display_name =
            fields.optional("display_name", self.display_name.as_deref(), DisplayName::parse);
        let parsed = username.zip(email).zip(password).map(|((username, email), password)| {
            ParsedRegister { username, email, password, display_name }
        });
        fields.finish(parsed)
    }
}

/// `POST /v1/auth/login`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Login {
    pub login: Option<String>,
    pub password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

pub struct ParsedLogin {
    pub login: String,
    pub password: Password,
    pub device_name: Option<String>,
}

impl Login {
    pub fn parse(self) -> Result<ParsedLogin, Fields> {
        let mut fields = Fields::default();
        let login = fields.required("login", self.login, |raw| bounded(raw, "invalid_login", 254));
        let password = fields.required("password", self.password, Password::parse);
        let device_name = fields.optional("device_name", self.device_name, |raw| {
            bounded(raw, "invalid_device_name", limits::DEVICE_NAME_MAX_CHARACTERS)
        });
        let parsed = login.zip(password);
        fields.finish(parsed.map(|(login, password)| ParsedLogin { login, password, device_name }))
    }
}

/// Some text of at most so many characters that Postgres can hold.
fn bounded(raw: String, code: &'static str, most: usize) -> Result<String, Invalid> {
    if raw.is_empty() || raw.chars().count() > most || raw.contains(char::is_control) {
        return Err(Invalid::new(code, format!("must be one line of 1 to {most} characters")));
    }
    Ok(raw)
}

/// `POST /v1/auth/refresh`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refresh {
    pub refresh_token: Option<String>,
}

impl Refresh {
    pub fn parse(self) -> Result<String, Fields> {
        let mut fields = Fields::default();
        let token = fields.required("refresh_token", self.refresh_token, Ok);
        fields.finish(token)
    }
}

/// The answer to register, login and refresh.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    pub user: Me,
    pub session_id: Uuid,
    pub access_token: String,
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    pub refresh_token: String,
}

/// One's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub id: Uuid,
    pub username: String,
    pub email: String,
    pub email_verified: bool,
    pub display_name: String,
    /// Always null until there are pictures.
    pub avatar_url: Option<String>,
    pub bio: String,
    pub created_at: String,
    pub settings: Settings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub share_receipts: bool,
    pub share_last_seen: bool,
}

impl From<&domain::User> for Me {
    fn from(user: &domain::User) -> Self {
        let domain::Settings { share_receipts, share_last_seen } = user.settings;
        Self {
            id: user.id.0,
            username: user.username.to_string(),
            email: user.email.to_string(),
            email_verified: user.email_verified,
            display_name: user.display_name.to_string(),
            avatar_url: None,
            bio: user.bio.to_string(),
            created_at: user.created_at.to_string(),
            settings: Settings { share_receipts, share_last_seen },
        }
    }
}

/// What others see of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub id: Uuid,
    pub username: String,
    pub display_name: String,
    /// Always null until there are pictures.
    pub avatar_url: Option<String>,
    pub bio: String,
    pub created_at: String,
}

impl From<&domain::User> for Profile {
    fn from(user: &domain::User) -> Self {
        Self {
            id: user.id.0,
            username: user.username.to_string(),
            display_name: user.display_name.to_string(),
            avatar_url: None,
            bio: user.bio.to_string(),
            created_at: user.created_at.to_string(),
        }
    }
}

/// `PATCH /v1/users/me`: what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateMe {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
}

pub struct ParsedUpdateMe {
    pub display_name: Option<DisplayName>,
    pub bio: Option<Bio>,
    pub settings: Option<domain::Settings>,
}

impl UpdateMe {
    pub fn parse(self) -> Result<ParsedUpdateMe, Fields> {
        let mut fields = Fields::default();
        let display_name =
            fields.optional("display_name", self.display_name.as_deref(), DisplayName::parse);
        let bio = fields.optional("bio", self.bio.as_deref(), Bio::parse);
        let settings = self.settings.map(|wire| domain::Settings {
            share_receipts: wire.share_receipts,
            share_last_seen: wire.share_last_seen,
        });
        fields.finish(Some(ParsedUpdateMe { display_name, bio, settings }))
    }
}

/// The public keys, as RFC 7517 writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

/// One Ed25519 key (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub key_use: String,
    pub kid: String,
    pub x: String,
}

/// `POST /v1/socket-tickets`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketTicket {
    pub ticket: String,
    /// Seconds.
    pub expires_in: u64,
    pub url: String,
}

/// `POST /v1/conversations`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateConversation {
    #[serde(rename = "type")]
    pub conversation_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub member_ids: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedCreateConversation {
    Direct { other: UserId },
    Group { client_id: ClientId, title: Title, member_ids: Vec<UserId> },
}

impl CreateConversation {
    pub fn parse(self) -> Result<ParsedCreateConversation, Fields> {
        let mut fields = Fields::default();
        let conversation_type =
            fields.required("type", self.conversation_type.as_deref(), FromStr::from_str);
        let raw_ids = fields.required("member_ids", self.member_ids, Ok).unwrap_or_default();
        if raw_ids.len() > limits::MEMBERS_PER_GROUP {
            let invalid = Invalid::new("too_many_members", "a group has at most 1,000 members");
            return Err(Fields::one("member_ids", invalid));
        }
        let mut member_ids = Vec::with_capacity(raw_ids.len());
        for (index, raw) in raw_ids.iter().enumerate() {
            member_ids.extend(fields.check(&format!("member_ids[{index}]"), raw.parse::<UserId>()));
        }
        let parsed = match conversation_type {
            Some(ConversationType::Direct) => {
                let one = <[UserId; 1]>::try_from(member_ids).map_err(|_| {
                    Invalid::new("invalid_member_count", "a direct conversation names one person")
                });
                let only = if fields.0.is_empty() { fields.check("member_ids", one) } else { None };
                only.map(|[other]| ParsedCreateConversation::Direct { other })
            }
            Some(ConversationType::Group) => {
                let client_id =
                    fields.required("client_id", self.client_id.as_deref(), ClientId::from_str);
                let title = fields.required("title", self.title.as_deref(), Title::parse);
                client_id.zip(title).map(|(client_id, title)| ParsedCreateConversation::Group {
                    client_id,
                    title,
                    member_ids,
                })
            }
            None => None,
        };
        fields.finish(parsed)
    }
}

/// One part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct List<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

/// A conversation in one's own list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConversationEntry {
    #[serde(flatten)]
    pub conversation: Conversation,
    pub last_message: Option<Message>,
    pub unread_count: u32,
    pub my: My,
}

/// One's own side of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct My {
    pub role: String,
    pub muted_until: Option<String>,
    pub archived: bool,
    pub pinned: bool,
    pub delivered: i64,
    pub read: i64,
}

impl From<&domain::Membership> for My {
    fn from(my: &domain::Membership) -> Self {
        Self {
            role: my.role.as_str().to_owned(),
            muted_until: my.muted_until.map(|at| at.to_string()),
            archived: my.archived,
            pinned: my.pinned,
            delivered: my.delivered.0,
            read: my.read.0,
        }
    }
}

/// A member, as the others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub user_id: Uuid,
    pub username: String,
    pub display_name: String,
    pub role: String,
    pub joined_at: String,
    pub joined_seq: i64,
}

impl From<&domain::Member> for Member {
    fn from(member: &domain::Member) -> Self {
        Self {
            user_id: member.user_id.0,
            username: member.username.to_string(),
            display_name: member.display_name.to_string(),
            role: member.role.as_str().to_owned(),
            joined_at: member.joined_at.to_string(),
            joined_seq: member.joined_seq.0,
        }
    }
}

/// The answer to `POST …/messages`: durable in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAccepted {
    pub client_id: Uuid,
    pub accepted: bool,
}

/// A part of a history, ascending by seq.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageList {
    pub items: Vec<Message>,
    pub has_more_before: bool,
    pub has_more_after: bool,
}

/// What changed after a cursor, ascending by rev.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeList {
    pub items: Vec<Message>,
    pub through: i64,
    pub last_seq: i64,
    pub has_more: bool,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemField {
    pub name: String,
    pub code: String,
    pub detail: String,
}
