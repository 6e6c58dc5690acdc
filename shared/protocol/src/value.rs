//! What bodies, frames and jobs share: messages, conversations, people.

use std::str::FromStr;

use domain::{
    ClientId, ConversationId, Emoji, EventType, Invalid, MessageKind, MessageText, Seq,
    SystemEvent, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A message as it stands in history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub conversation_id: Uuid,
    pub seq: i64,
    pub rev: i64,
    pub client_id: Uuid,
    pub sender_id: Uuid,
    pub kind: String,
    pub text: Option<String>,
    pub reply_to: Option<i64>,
    /// Always empty until there are attachments.
    pub attachments: Vec<serde_json::Value>,
    pub mentions: Vec<Mention>,
    pub reactions: Vec<Reaction>,
    pub pinned: bool,
    pub event: Option<MessageEvent>,
    pub sent_at: Option<String>,
    pub created_at: String,
    pub edited_at: Option<String>,
    pub deleted_at: Option<String>,
}

/// `start` and `length` count Unicode scalar values of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    pub user_id: Uuid,
    pub start: u32,
    pub length: u32,
}

/// All who reacted with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    pub emoji: String,
    pub count: u32,
    /// The first 20.
    pub user_ids: Vec<Uuid>,
}

impl From<&domain::Reaction> for Reaction {
    fn from(reaction: &domain::Reaction) -> Self {
        Self {
            emoji: reaction.emoji.as_str().to_owned(),
            count: reaction.count,
            user_ids: reaction.user_ids.iter().map(|user| user.0).collect(),
        }
    }
}

impl TryFrom<&Reaction> for domain::Reaction {
    type Error = Invalid;

    fn try_from(wire: &Reaction) -> Result<Self, Invalid> {
        Ok(Self {
            emoji: Emoji::parse(&wire.emoji)?,
            count: wire.count,
            user_ids: wire.user_ids.iter().copied().map(UserId).collect(),
        })
    }
}

/// How far a device has got, not checked yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<i64>,
}

/// How far a device has got; at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedProgress {
    pub delivered: Option<Seq>,
    pub read: Option<Seq>,
}

impl Progress {
    pub fn parse(&self) -> Result<ParsedProgress, crate::Fields> {
        let mut fields = crate::Fields::default();
        let delivered = fields.optional("delivered", self.delivered, Seq::parse);
        let read = fields.optional("read", self.read, Seq::parse);
        if self.delivered.is_none() && self.read.is_none() {
            let invalid = Invalid::new("required", "delivered or read is required");
            return Err(crate::Fields::one("delivered", invalid));
        }
        fields.finish(Some(ParsedProgress { delivered, read }))
    }
}

/// How far a member has got, as others may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberMarks {
    pub user_id: Uuid,
    pub delivered: i64,
    pub read: i64,
}

/// Whether somebody is there, as others may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    pub user_id: Uuid,
    pub status: String,
    pub last_seen_at: Option<String>,
}

/// What a system message tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEvent {
    #[serde(rename = "type")]
    pub event_type: String,
    pub actor_id: Uuid,
    pub user_ids: Vec<Uuid>,
    /// The new title, of `title_changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The new role, of `role_changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl From<&domain::Mention> for Mention {
    fn from(mention: &domain::Mention) -> Self {
        let domain::Mention { user_id, start, length } = *mention;
        Self { user_id: user_id.0, start, length }
    }
}

impl From<&Mention> for domain::Mention {
    fn from(mention: &Mention) -> Self {
        let Mention { user_id, start, length } = *mention;
        Self { user_id: UserId(user_id), start, length }
    }
}

impl From<&domain::Message> for Message {
    fn from(message: &domain::Message) -> Self {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let event = message.event.as_ref().map(|event| MessageEvent {
            event_type: event.event_type.as_str().to_owned(),
            actor_id: event.actor_id.0,
            user_ids: event.user_ids.iter().map(|user| user.0).collect(),
            title: event.title.as_ref().map(|title| title.as_str().to_owned()),
            role: event.role.map(|role| role.as_str().to_owned()),
        });
        Self {
            conversation_id: message.conversation_id.0,
            seq: message.seq.0,
            rev: message.rev.0,
            client_id: message.client_id.0,
            sender_id: message.sender_id.0,
            kind: message.kind.as_str().to_owned(),
            text: message.text.as_ref().map(|text| text.as_str().to_owned()),
            reply_to: message.reply_to.map(|seq| seq.0),
            attachments: vec![],
            mentions: message.mentions.iter().map(Mention::from).collect(),
            reactions: message.reactions.iter().map(Reaction::from).collect(),
            pinned: message.pinned,
            event,
            sent_at: time(message.sent_at),
            created_at: message.created_at.to_string(),
            edited_at: time(message.edited_at),
            deleted_at: time(message.deleted_at),
        }
    }
}

impl TryFrom<&Message> for domain::Message {
    type Error = Invalid;

    /// For a message that went through one of our queues.
    fn try_from(wire: &Message) -> Result<Self, Invalid> {
        let time = |raw: &Option<String>| raw.as_deref().map(Timestamp::from_str).transpose();
        let event = wire.event.as_ref().map(|event| {
            Ok(SystemEvent {
                event_type: EventType::from_str(&event.event_type)?,
                actor_id: UserId(event.actor_id),
                user_ids: event.user_ids.iter().copied().map(UserId).collect(),
                title: event.title.as_deref().map(domain::Title::parse).transpose()?,
                role: event.role.as_deref().map(str::parse).transpose()?,
            })
        });
        Ok(Self {
            conversation_id: ConversationId(wire.conversation_id),
            seq: Seq::parse(wire.seq)?,
            rev: Seq::parse(wire.rev)?,
            client_id: ClientId(wire.client_id),
            sender_id: UserId(wire.sender_id),
            kind: MessageKind::from_str(&wire.kind)?,
            text: wire.text.as_deref().map(MessageText::parse).transpose()?,
            reply_to: wire.reply_to.map(Seq::parse).transpose()?,
            mentions: wire.mentions.iter().map(domain::Mention::from).collect(),
            reactions: wire
                .reactions
                .iter()
                .map(domain::Reaction::try_from)
                .collect::<Result<_, _>>()?,
            event: event.transpose()?,
            pinned: wire.pinned,
            sent_at: time(&wire.sent_at)?,
            created_at: wire.created_at.parse()?,
            edited_at: time(&wire.edited_at)?,
            deleted_at: time(&wire.deleted_at)?,
        })
    }
}

/// A conversation as every member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub id: Uuid,
    #[serde(rename = "type")]
    pub conversation_type: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub avatar_url: Option<String>,
    /// Who joins later sees what was said before.
    #[serde(default)]
    pub shares_history: bool,
    pub created_by: Uuid,
    pub created_at: String,
    pub changed_at: String,
    pub last_seq: i64,
    pub member_count: u32,
}

impl From<&domain::Conversation> for Conversation {
    fn from(conversation: &domain::Conversation) -> Self {
        Self {
            id: conversation.id.0,
            conversation_type: conversation.conversation_type.as_str().to_owned(),
            title: conversation.title.as_ref().map(|title| title.as_str().to_owned()),
            description: conversation.description.as_ref().map(|text| text.as_str().to_owned()),
            avatar_url: conversation.avatar_url.as_ref().map(|url| url.as_str().to_owned()),
            shares_history: conversation.shares_history,
            created_by: conversation.created_by.0,
            created_at: conversation.created_at.to_string(),
            changed_at: conversation.changed_at.to_string(),
            last_seq: conversation.last_seq.0,
            member_count: conversation.member_count,
        }
    }
}

impl TryFrom<&Conversation> for domain::Conversation {
    type Error = Invalid;

    /// For a conversation that went through one of our queues.
    fn try_from(wire: &Conversation) -> Result<Self, Invalid> {
        Ok(Self {
            id: ConversationId(wire.id),
            conversation_type: wire.conversation_type.parse()?,
            title: wire.title.as_deref().map(domain::Title::parse).transpose()?,
            description: wire.description.as_deref().map(domain::Description::parse).transpose()?,
            avatar_url: wire.avatar_url.as_deref().map(domain::AvatarUrl::parse).transpose()?,
            shares_history: wire.shares_history,
            created_by: UserId(wire.created_by),
            created_at: wire.created_at.parse()?,
            changed_at: wire.changed_at.parse()?,
            last_seq: Seq::parse(wire.last_seq)?,
            member_count: wire.member_count,
        })
    }
}

/// A message as a client drafts it, not checked yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageDraft {
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions: Option<Vec<Mention>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
}

impl MessageDraft {
    /// The draft, or every field that is wrong with it.
    pub fn parse(&self) -> Result<domain::Draft, crate::Fields> {
        let mut fields = crate::Fields::default();
        let client_id = fields.required("client_id", self.client_id.as_deref(), str::parse);
        let kind = fields.optional("kind", self.kind.as_deref(), MessageKind::from_str);
        let text = fields.optional("text", self.text.as_deref(), MessageText::parse);
        let reply_to = fields.optional("reply_to", self.reply_to, Seq::parse);
        let sent_at = fields.optional("sent_at", self.sent_at.as_deref(), Timestamp::from_str);
        let ids = self.attachment_ids.as_deref().unwrap_or_default();
        let ids = ids.iter().map(|raw| raw.parse::<ClientId>().map(|id| id.0));
        let attachment_ids = fields.check("attachment_ids", ids.collect::<Result<_, _>>());
        let mentions = self.mentions.as_deref().unwrap_or_default();
        let parts = client_id.zip(attachment_ids).map(|(client_id, attachment_ids)| {
            let mentions = mentions.iter().map(domain::Mention::from).collect();
            domain::DraftParts {
                client_id,
                kind,
                text,
                reply_to,
                attachment_ids,
                mentions,
                sent_at,
            }
        });
        let parts = fields.finish(parts)?;
        domain::Draft::parse(parts).map_err(|invalid| {
            let name = field_of(invalid.code);
            crate::Fields::one(name, invalid)
        })
    }
}

/// Which field of a draft a rule speaks of.
fn field_of(code: &str) -> &'static str {
    match code {
        "invalid_kind" => "kind",
        "text_required" => "text",
        "invalid_reply_to" => "reply_to",
        "invalid_mention" | "too_many_mentions" => "mentions",
        _ => "attachment_ids",
    }
}

impl From<&domain::Draft> for MessageDraft {
    /// For the queue: reading it back gives the same draft.
    fn from(draft: &domain::Draft) -> Self {
        let some = |count: usize| (count > 0).then_some(());
        Self {
            client_id: Some(draft.client_id.to_string()),
            kind: Some(draft.kind.as_str().to_owned()),
            text: draft.text.as_ref().map(|text| text.as_str().to_owned()),
            reply_to: draft.reply_to.map(|seq| seq.0),
            attachment_ids: some(draft.attachment_ids.len())
                .map(|()| draft.attachment_ids.iter().map(Uuid::to_string).collect()),
            mentions: some(draft.mentions.len())
                .map(|()| draft.mentions.iter().map(Mention::from).collect()),
            sent_at: draft.sent_at.map(|at| at.to_string()),
        }
    }
}

/// A wish to be somebody's contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRequest {
    pub id: Uuid,
    pub from_user_id: Uuid,
    pub to_user_id: Uuid,
    pub created_at: String,
}
