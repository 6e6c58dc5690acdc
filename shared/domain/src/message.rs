//! Messages: what a client drafts, what is stored, why one is refused.

use std::str::FromStr;

use uuid::Uuid;

use crate::{
    ClientId, ConversationId, Invalid, MessageText, Reaction, Role, Seq, Timestamp, Title, UserId,
    limits,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    Text,
    Image,
    File,
    Audio,
    Video,
    /// Written by the server only.
    System,
}

impl MessageKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::File => "file",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::System => "system",
        }
    }
}

impl FromStr for MessageKind {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        match raw {
            "text" => Ok(Self::Text),
            "image" => Ok(Self::Image),
            "file" => Ok(Self::File),
            "audio" => Ok(Self::Audio),
            "video" => Ok(Self::Video),
            "system" => Ok(Self::System),
            _ => Err(Invalid::new("invalid_kind", "is not a kind of message")),
        }
    }
}

/// A person named in a text; `start` and `length` count Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    pub user_id: UserId,
    pub start: u32,
    pub length: u32,
}

/// What a client asks to be stored, not checked against each other yet.
#[derive(Debug, Clone)]
pub struct DraftParts {
    pub client_id: ClientId,
    pub kind: Option<MessageKind>,
    pub text: Option<MessageText>,
    pub reply_to: Option<Seq>,
    pub attachment_ids: Vec<Uuid>,
    pub mentions: Vec<Mention>,
    /// The client's own clock; shown, never trusted.
    pub sent_at: Option<Timestamp>,
}

/// A message that may be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub client_id: ClientId,
    pub kind: MessageKind,
    pub text: Option<MessageText>,
    pub reply_to: Option<Seq>,
    pub attachment_ids: Vec<Uuid>,
    pub mentions: Vec<Mention>,
    pub sent_at: Option<Timestamp>,
}

impl Draft {
    /// A text message has a text; the other kinds have files; mentions lie inside the text.
    pub fn parse(parts: DraftParts) -> Result<Self, Invalid> {
        let kind = parts.kind.unwrap_or(MessageKind::Text);
        let files = parts.attachment_ids.len();
        let refused = |code, detail: &str| Err(Invalid::new(code, detail));
        match kind {
            MessageKind::System => return refused("invalid_kind", "is for the server only"),
            MessageKind::Text if parts.text.is_none() => {
                return refused("text_required", "a text message needs a text");
            }
            MessageKind::Text if files > 0 => {
                return refused("attachments_not_allowed", "a text message carries no files");
            }
            MessageKind::Text => {}
            _ if files == 0 => return refused("attachments_required", "this kind needs a file"),
            _ => {}
        }
        if files > limits::ATTACHMENTS_PER_MESSAGE {
            return refused("too_many_attachments", "at most 10 files");
        }
        if parts.reply_to.is_some_and(|seq| seq < Seq(1)) {
            return refused("invalid_reply_to", "must be the seq of a message, 1 or more");
        }
        check_mentions(&parts.mentions, parts.text.as_ref())?;
        Ok(Self {
            client_id: parts.client_id,
            kind,
            text: parts.text,
            reply_to: parts.reply_to,
            attachment_ids: parts.attachment_ids,
            mentions: parts.mentions,
            sent_at: parts.sent_at,
        })
    }
}

pub(crate) fn check_mentions(
    mentions: &[Mention],
    text: Option<&MessageText>,
) -> Result<(), Invalid> {
    if mentions.len() > limits::MENTIONS_PER_MESSAGE {
        return Err(Invalid::new("too_many_mentions", "at most 50 people"));
    }
    let characters = text.map_or(0, |text| text.as_str().chars().count() as u64);
    let inside = |mention: &Mention| {
        mention.length > 0 && u64::from(mention.start) + u64::from(mention.length) <= characters
    };
    if !mentions.iter().all(inside) {
        return Err(Invalid::new("invalid_mention", "must lie inside the text"));
    }
    Ok(())
}

/// What a system message tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemEvent {
    pub event_type: EventType,
    pub actor_id: UserId,
    /// The people it happened to.
    pub user_ids: Vec<UserId>,
    /// The new title, of `title_changed`.
    pub title: Option<Title>,
    /// The new role, of `role_changed`.
    pub role: Option<Role>,
}

impl SystemEvent {
    /// One without a title or a role.
    pub fn new(event_type: EventType, actor_id: UserId, user_ids: Vec<UserId>) -> Self {
        Self { event_type, actor_id, user_ids, title: None, role: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    ConversationCreated,
    MembersAdded,
    /// By an invite.
    MemberJoined,
    MemberLeft,
    MemberRemoved,
    RoleChanged,
    TitleChanged,
    DescriptionChanged,
    PictureChanged,
    /// Whether new members see what was said before them.
    HistoryChanged,
}

impl EventType {
    const ALL: [Self; 10] = [
        Self::ConversationCreated,
        Self::MembersAdded,
        Self::MemberJoined,
        Self::MemberLeft,
        Self::MemberRemoved,
        Self::RoleChanged,
        Self::TitleChanged,
        Self::DescriptionChanged,
        Self::PictureChanged,
        Self::HistoryChanged,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConversationCreated => "conversation_created",
            Self::MembersAdded => "members_added",
            Self::MemberJoined => "member_joined",
            Self::MemberLeft => "member_left",
            Self::MemberRemoved => "member_removed",
            Self::RoleChanged => "role_changed",
            Self::TitleChanged => "title_changed",
            Self::DescriptionChanged => "description_changed",
            Self::PictureChanged => "picture_changed",
            Self::HistoryChanged => "history_changed",
        }
    }
}

impl FromStr for EventType {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let named = Self::ALL.into_iter().find(|event_type| event_type.as_str() == raw);
        named.ok_or_else(|| Invalid::new("invalid_event", "is not an event"))
    }
}

/// A message as it stands in history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub conversation_id: ConversationId,
    pub seq: Seq,
    /// The number of its last change; `seq` when there was none.
    pub rev: Seq,
    pub client_id: ClientId,
    pub sender_id: UserId,
    pub kind: MessageKind,
    pub text: Option<MessageText>,
    pub reply_to: Option<Seq>,
    pub mentions: Vec<Mention>,
    /// In the order in which their emoji came first.
    pub reactions: Vec<Reaction>,
    pub event: Option<SystemEvent>,
    pub pinned: bool,
    pub sent_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
}

/// Why an accepted message did not become history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The sender is not, or no longer, a member; or there is no such conversation.
    NotAMember,
    /// One of the two people of a direct conversation blocked the other.
    Blocked,
    /// It answers what is no message here, or none that the sender may see.
    InvalidReplyTo,
    /// It mentions somebody who never was a member.
    InvalidMention,
    /// The store refused the content itself.
    InvalidMessage,
    /// Set aside after repeated unknown failures; it may be sent again.
    Quarantined,
}

impl Rejection {
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAMember => "not_a_member",
            Self::Blocked => "blocked",
            Self::InvalidReplyTo => "invalid_reply_to",
            Self::InvalidMention => "invalid_mention",
            Self::InvalidMessage => "invalid_message",
            Self::Quarantined => "quarantined",
        }
    }

    /// `None` for a code that is not a rejection's.
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [
            Self::NotAMember,
            Self::Blocked,
            Self::InvalidReplyTo,
            Self::InvalidMention,
            Self::InvalidMessage,
            Self::Quarantined,
        ];
        all.into_iter().find(|rejection| rejection.code() == code)
    }

    pub fn is_retryable(self) -> bool {
        self == Self::Quarantined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: Option<&str>) -> DraftParts {
        DraftParts {
            client_id: ClientId(Uuid::from_u128(1)),
            kind: None,
            text: text.map(|raw| MessageText::parse(raw).unwrap()),
            reply_to: None,
            attachment_ids: vec![],
            mentions: vec![],
            sent_at: None,
        }
    }

    fn code(parts: DraftParts) -> &'static str {
        Draft::parse(parts).unwrap_err().code
    }

    #[test]
    fn a_message_without_a_kind_is_text() {
        assert_eq!(Draft::parse(parts(Some("hi"))).unwrap().kind, MessageKind::Text);
    }

    #[test]
    fn each_kind_has_what_it_needs() {
        assert_eq!(code(parts(None)), "text_required");
        let with = |kind, files: usize| DraftParts {
            kind: Some(kind),
            attachment_ids: vec![Uuid::nil(); files],
            ..parts(Some("hi"))
        };
        assert_eq!(code(with(MessageKind::System, 0)), "invalid_kind");
        assert_eq!(code(with(MessageKind::Text, 1)), "attachments_not_allowed");
        assert_eq!(code(with(MessageKind::Image, 0)), "attachments_required");
        assert_eq!(code(with(MessageKind::File, 11)), "too_many_attachments");
        assert!(Draft::parse(with(MessageKind::Video, 10)).is_ok());
    }

    #[test]
    fn mentions_lie_inside_the_text_counted_in_scalars() {
        let mention = |start, length| Mention { user_id: UserId(Uuid::nil()), start, length };
        let with = |mentions| DraftParts { mentions, ..parts(Some("é@b")) };
        assert!(Draft::parse(with(vec![mention(1, 2)])).is_ok());
        assert_eq!(code(with(vec![mention(1, 3)])), "invalid_mention");
        assert_eq!(code(with(vec![mention(0, 0)])), "invalid_mention");
        assert_eq!(code(with(vec![mention(u32::MAX, u32::MAX)])), "invalid_mention");
        assert_eq!(code(with(vec![mention(0, 1); 51])), "too_many_mentions");
    }

    #[test]
    fn a_reply_names_a_message() {
        let with = |seq| DraftParts { reply_to: Some(Seq(seq)), ..parts(Some("hi")) };
        assert_eq!(code(with(0)), "invalid_reply_to");
        assert!(Draft::parse(with(1)).is_ok());
    }
}
