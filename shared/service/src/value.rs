//! Values that use cases and ports exchange.

use domain::{
    ConnectionId, ContactRequestId, Conversation, ConversationId, Marks, Membership, Message,
    Presence, Rejection, Seq, SessionId, Timestamp, TraceId, UserId,
};

/// Who is asking, proven by an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    user_id: UserId,
    session_id: SessionId,
}

impl Caller {
    /// For the verifier of access tokens only; nothing else may claim who is asking.
    pub fn verified(user_id: UserId, session_id: SessionId) -> Self {
        Self { user_id, session_id }
    }

    pub fn user_id(self) -> UserId {
        self.user_id
    }

    pub fn session_id(self) -> SessionId {
        self.session_id
    }

    pub fn identity(self) -> Identity {
        Identity { user_id: self.user_id, session_id: self.session_id }
    }
}

/// Whose a ticket or a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub user_id: UserId,
    pub session_id: SessionId,
}

/// One open socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub identity: Identity,
    /// When `$connect` was answered.
    pub since: Timestamp,
    /// The last heartbeat, or `since`.
    pub seen_at: Timestamp,
}

/// A member to be told, and where their view of the history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    pub user_id: UserId,
    pub joined_seq: Seq,
}

impl Recipient {
    /// For what has no part that somebody may not see.
    pub fn from_the_start(user_id: UserId) -> Self {
        Self { user_id, joined_seq: Seq::ZERO }
    }
}

/// What is said to sockets. An adapter turns it into frames of at most 30 KB.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Everything in (after, through] that the receiver may see, ascending by seq.
    MessagesNew {
        conversation_id: ConversationId,
        after: Seq,
        through: Seq,
        messages: Vec<Message>,
    },
    /// The same of edits, deletions, reactions and pins, ascending by rev.
    MessagesChanged {
        conversation_id: ConversationId,
        after: Seq,
        through: Seq,
        messages: Vec<Message>,
    },
    MessageRejected {
        conversation_id: ConversationId,
        client_id: domain::ClientId,
        rejection: Rejection,
    },
    ConversationChanged {
        conversation: Conversation,
    },
    /// The receiver is not a member any more.
    ConversationRemoved {
        conversation_id: ConversationId,
    },
    /// Something between the receiver and this person: asked, accepted, declined, removed.
    ContactChanged {
        request: Option<ContactRequest>,
        user_id: UserId,
        status: ContactStatus,
    },
    ReceiptUpdated {
        conversation_id: ConversationId,
        marks: Vec<MemberMarks>,
    },
    Typing {
        conversation_id: ConversationId,
        user_id: UserId,
        is_active: bool,
        expires_in_ms: u64,
    },
    PresenceChanged {
        users: Vec<PresenceView>,
    },
    /// The receiver is behind: fetch.
    Nudge {
        conversation_id: ConversationId,
        last_seq: Seq,
    },
    Bye {
        reason: &'static str,
        reconnect_after_ms: u64,
    },
    Error {
        code: &'static str,
        detail: String,
    },
}

impl Event {
    /// The frame for consecutive new messages, or for one that is told again; `None` for none.
    pub fn of_new(conversation_id: ConversationId, mut messages: Vec<Message>) -> Option<Self> {
        messages.sort_by_key(|message| message.rev);
        let after = messages.first()?.rev.before();
        let through = messages.last()?.rev;
        Some(Self::MessagesNew { conversation_id, after, through, messages })
    }

    /// The frame for one message that was changed.
    pub fn of_change(message: Message) -> Self {
        Self::MessagesChanged {
            conversation_id: message.conversation_id,
            after: message.rev.before(),
            through: message.rev,
            messages: vec![message],
        }
    }

    /// The same event without what stands before the receiver's time; its frame still moves
    /// their cursor.
    pub fn seen_from(&self, joined_seq: Seq) -> Self {
        let mut seen = self.clone();
        if let Self::MessagesNew { messages, .. } | Self::MessagesChanged { messages, .. } =
            &mut seen
        {
            messages.retain(|message| message.seq > joined_seq);
        }
        seen
    }

    /// How many of its messages a member who joined at this number does not see.
    pub fn hidden_from(&self, joined_seq: Seq) -> usize {
        match self {
            Self::MessagesNew { messages, .. } | Self::MessagesChanged { messages, .. } => {
                messages.iter().filter(|message| message.seq <= joined_seq).count()
            }
            _ => 0,
        }
    }

    /// The numbers that it tells: (conversation, after, through).
    pub fn numbers(&self) -> Option<(ConversationId, Seq, Seq)> {
        match self {
            Self::MessagesNew { conversation_id, after, through, .. }
            | Self::MessagesChanged { conversation_id, after, through, .. } => {
                Some((*conversation_id, *after, *through))
            }
            _ => None,
        }
    }
}

/// A member's marks as somebody may see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberMarks {
    pub user_id: UserId,
    pub marks: Marks,
}

/// A person as somebody may see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceView {
    pub user_id: UserId,
    pub presence: Presence,
    pub last_seen_at: Option<Timestamp>,
}

/// A conversation as its member sees it in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationEntry {
    pub conversation: Conversation,
    pub my: Membership,
    pub last_message: Option<Message>,
    pub unread_count: u32,
}

/// Which part of a list: `limit` items after an opaque cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub cursor: Option<String>,
    /// 1 to 200.
    pub limit: u32,
}

/// Which part of a history, `limit` messages of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Newest,
    Before(Seq),
    After(Seq),
    /// Half before, half from this one on.
    Around(Seq),
}

/// A part of a history, ascending by seq (changes: by rev).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePage {
    pub items: Vec<Message>,
    pub has_more_before: bool,
    pub has_more_after: bool,
}

/// What changed for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncPage {
    pub conversations: Vec<ConversationEntry>,
    /// Those that they are not in any more.
    pub removed: Vec<ConversationId>,
    pub next_cursor: String,
    pub has_more: bool,
}

/// What became of one message, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub conversation_id: ConversationId,
    pub seq: Seq,
    /// The same in the log lines of every function that had the message.
    pub trace_id: Option<TraceId>,
    pub accepted_at: Timestamp,
    pub stored_at: Timestamp,
    /// Sockets that took the frame; one that was told twice counts twice.
    pub pushed_devices: u32,
    /// The first and the last of these pushes.
    pub pushed_at: Option<(Timestamp, Timestamp)>,
    /// Members in the order in which it was delivered to them.
    pub delivered: Vec<(UserId, Timestamp)>,
    pub read: Vec<(UserId, Timestamp)>,
}

/// `None` leaves a preference as it is; `Some(None)` ends muting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    pub muted_until: Option<Option<Timestamp>>,
    pub archived: Option<bool>,
    pub pinned: Option<bool>,
}

/// One of one's own sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    pub id: SessionId,
    pub device_name: Option<String>,
    pub address: Option<String>,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
}

/// A wish to be somebody's contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactRequest {
    pub id: ContactRequestId,
    pub from: UserId,
    pub to: UserId,
    pub created_at: Timestamp,
}

/// What two people are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactStatus {
    /// A request waits.
    Requested,
    Contacts,
    Declined,
    Removed,
}

impl ContactStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Contacts => "contacts",
            Self::Declined => "declined",
            Self::Removed => "removed",
        }
    }
}
