//! Running a group: what it is, who is in it, who may come in.

use std::str::FromStr;
use std::time::Duration;

use domain::{AvatarUrl, Description, Invalid, Role, Timestamp, Title, UserId, limits};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::nullable;
use crate::Fields;

/// `PATCH /v1/conversations/{id}`: what is absent stays as it is, null empties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EditConversation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "super::present")]
    pub description: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "super::present")]
    pub avatar_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares_history: Option<bool>,
}

/// What of a group is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedEditConversation {
    pub title: Option<Title>,
    pub description: Option<Option<Description>>,
    pub avatar_url: Option<Option<AvatarUrl>>,
    pub shares_history: Option<bool>,
}

impl EditConversation {
    /// The checked values, or every field that is wrong; at least one must be there.
    pub fn parse(&self) -> Result<ParsedEditConversation, Fields> {
        let mut fields = Fields::default();
        let title = fields.optional("title", self.title.as_deref(), Title::parse);
        let description =
            nullable(&mut fields, "description", &self.description, Description::parse);
        let avatar_url = nullable(&mut fields, "avatar_url", &self.avatar_url, AvatarUrl::parse);
        if *self == Self::default() {
            let detail = "one of title, description, avatar_url and shares_history is required";
            return Err(Fields::one("title", Invalid::new("required", detail)));
        }
        let shares_history = self.shares_history;
        fields.finish(Some(ParsedEditConversation {
            title,
            description,
            avatar_url,
            shares_history,
        }))
    }
}

/// `POST …/members`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AddMembers {
    pub user_ids: Option<Vec<String>>,
}

impl AddMembers {
    /// 1 to 1,000 people, each once.
    pub fn parse(&self) -> Result<Vec<UserId>, Fields> {
        let mut fields = Fields::default();
        let count = |ids: &Vec<String>| {
            let is_right = (1..=limits::MEMBERS_PER_GROUP).contains(&ids.len());
            is_right
                .then_some(())
                .ok_or_else(|| Invalid::new("invalid_member_count", "must be 1 to 1,000 people"))
        };
        if fields.required("user_ids", self.user_ids.as_ref(), count).is_none() {
            return Err(fields);
        }
        let mut ids = Vec::new();
        for (index, raw) in self.user_ids.iter().flatten().enumerate() {
            let id = fields.check(&format!("user_ids[{index}]"), raw.parse::<UserId>());
            ids.extend(id.filter(|id| !ids.contains(id)));
        }
        fields.finish(Some(ids))
    }
}

/// `PATCH …/members/{user_id}`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeRole {
    pub role: Option<String>,
}

impl ChangeRole {
    pub fn parse(&self) -> Result<Role, Fields> {
        let mut fields = Fields::default();
        let role = fields.required("role", self.role.as_deref(), Role::from_str);
        fields.finish(role)
    }
}

/// `PUT …/preferences`: what is absent stays as it is; `muted_until: null` ends muting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangePreferences {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "super::present")]
    pub muted_until: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
}

/// Preferences that may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedPreferences {
    pub muted_until: Option<Option<Timestamp>>,
    pub archived: Option<bool>,
    pub pinned: Option<bool>,
}

impl ChangePreferences {
    pub fn parse(&self) -> Result<ParsedPreferences, Fields> {
        let mut fields = Fields::default();
        let muted_until =
            nullable(&mut fields, "muted_until", &self.muted_until, Timestamp::from_str);
        let (archived, pinned) = (self.archived, self.pinned);
        fields.finish(Some(ParsedPreferences { muted_until, archived, pinned }))
    }
}

/// `POST …/invites`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateInvite {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<i64>,
}

/// An invite that may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedCreateInvite {
    pub max_uses: Option<u32>,
    pub expires_in: Option<Duration>,
}

impl CreateInvite {
    pub fn parse(&self) -> Result<ParsedCreateInvite, Fields> {
        let mut fields = Fields::default();
        let max_uses = fields.optional("max_uses", self.max_uses, |raw| {
            let uses = u32::try_from(raw).ok().filter(|uses| (1..=10_000).contains(uses));
            uses.ok_or_else(|| Invalid::new("invalid_max_uses", "must be 1 to 10,000"))
        });
        let expires_in = fields.optional("expires_in_seconds", self.expires_in_seconds, |raw| {
            let longest = limits::INVITE_LIFETIME_MAX.as_secs();
            let seconds = u64::try_from(raw).ok().filter(|s| (60..=longest).contains(s));
            seconds.map(Duration::from_secs).ok_or_else(|| {
                Invalid::new("invalid_expires_in_seconds", "must be a minute to a year")
            })
        });
        fields.finish(Some(ParsedCreateInvite { max_uses, expires_in }))
    }
}

/// An invite that was just made; its token is not shown again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedInvite {
    pub id: Uuid,
    pub token: String,
    pub url: String,
    pub expires_at: String,
    pub max_uses: Option<u32>,
}

/// One invite, for those who may invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    pub id: Uuid,
    pub created_by: Uuid,
    pub uses: u32,
    pub max_uses: Option<u32>,
    pub expires_at: String,
    pub created_at: String,
}

/// `GET …/invites`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteList {
    pub items: Vec<Invite>,
    /// Always null: all of them are here.
    pub next_cursor: Option<String>,
}

/// `GET /v1/invites/{token}`: what one would join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitePreview {
    pub conversation_id: Uuid,
    pub title: String,
    pub description: Option<String>,
    pub avatar_url: Option<String>,
    pub member_count: u32,
    pub is_member: bool,
}
