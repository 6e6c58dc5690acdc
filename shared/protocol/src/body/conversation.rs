//! Conversations and their members.

use std::str::FromStr;

use domain::{ClientId, ConversationType, Invalid, Title, UserId, limits};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Fields;
use crate::value::{Conversation, Message};

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

/// A conversation that may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedCreateConversation {
    Direct { other: UserId },
    Group { client_id: ClientId, title: Title, member_ids: Vec<UserId> },
}

impl CreateConversation {
    /// The checked values, or every field that is wrong.
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

/// `GET /v1/sync`: what changed since the cursor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sync {
    pub conversations: Vec<ConversationEntry>,
    /// Those that the caller is not in any more.
    pub removed: Vec<Uuid>,
    pub next_cursor: String,
    pub has_more: bool,
}
