//! Values to put through a port.

use domain::{
    AvatarUrl, ClientId, ConnectionId, ContactRequestId, Conversation, ConversationId,
    ConversationType, Description, Draft, DraftParts, Emoji, EventType, Marks, Mention, Message,
    MessageKind, MessageText, Presence, Reaction, Rejection, Role, Seq, SessionId, SystemEvent,
    Timestamp, Title, TraceId, UserId,
};
use service::port::Submission;
use service::{
    Connection, ContactRequest, ContactStatus, Event, Identity, MemberMarks, PresenceView,
    Recipient,
};
use uuid::Uuid;

use crate::ambient::at_ms;

pub fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(0x0191_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub fn conversation(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub fn client(number: u128) -> ClientId {
    ClientId(Uuid::from_u128(0x0194_0000_0000_4000_8000_0000_0000_0000 + number))
}

pub fn trace(number: u128) -> TraceId {
    TraceId(Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub fn identity(number: u128) -> Identity {
    Identity { user_id: user(number), session_id: session(number) }
}

/// An id as API Gateway makes them, with characters that a URL must escape.
pub fn connection_id(name: &str) -> ConnectionId {
    ConnectionId::parse(format!("{name}+/Hc0=")).expect("a connection id")
}

pub fn connection(name: &str, of_user: u128, since: Timestamp) -> Connection {
    let id = connection_id(name);
    Connection { id, identity: identity(of_user), since, seen_at: since }
}

pub fn text(raw: &str) -> MessageText {
    MessageText::parse(raw).expect("a text")
}

pub fn submission(in_conversation: u128, number: u128) -> Submission {
    let mention = Mention { user_id: user(2), start: 0, length: 1 };
    let parts = DraftParts {
        client_id: client(number),
        kind: None,
        text: Some(text(&format!("message {number} — \"quoted\", 日本, \u{1f680}"))),
        reply_to: Some(Seq(1)),
        attachment_ids: Vec::new(),
        mentions: vec![mention],
        sent_at: Some(at_ms(-5)),
    };
    Submission {
        conversation_id: conversation(in_conversation),
        sender_id: user(1),
        draft: Draft::parse(parts).expect("a draft"),
        accepted_at: at_ms(0),
        trace_id: trace(in_conversation),
    }
}

/// The message with this number, which says this.
pub fn message(seq: i64, said: &str) -> Message {
    Message {
        conversation_id: conversation(1),
        seq: Seq(seq),
        rev: Seq(seq),
        client_id: client(seq.unsigned_abs().into()),
        sender_id: user(1),
        kind: MessageKind::Text,
        text: Some(text(said)),
        reply_to: None,
        mentions: Vec::new(),
        reactions: Vec::new(),
        event: None,
        pinned: false,
        sent_at: None,
        created_at: at_ms(0),
        edited_at: None,
        deleted_at: None,
    }
}

/// The news of these messages, which follow each other.
pub fn messages_new(messages: Vec<Message>) -> Event {
    let after = messages.first().map_or(Seq::ZERO, |first| first.rev.before());
    let through = messages.last().map_or(Seq::ZERO, |last| last.rev);
    Event::MessagesNew { conversation_id: conversation(1), after, through, messages }
}

pub fn message_rejected() -> Event {
    rejected(Rejection::NotAMember)
}

pub fn rejected(rejection: Rejection) -> Event {
    Event::MessageRejected { conversation_id: conversation(1), client_id: client(1), rejection }
}

pub fn recipients(count: u128) -> Vec<Recipient> {
    let recipient = |number| Recipient { user_id: user(number), joined_seq: Seq(3) };
    (1..=count).map(recipient).collect()
}

/// A message that was edited, pinned and reacted to, and one that was deleted.
pub fn messages_changed() -> Event {
    let reaction = |raw: &str, count: u32| Reaction {
        emoji: Emoji::parse(raw).expect("an emoji"),
        count,
        user_ids: (1..=u128::from(count.min(20))).map(user).collect(),
    };
    let edited = Message {
        rev: Seq(11),
        mentions: vec![Mention { user_id: user(2), start: 0, length: 3 }],
        reactions: vec![reaction("\u{1f44d}\u{1f3fd}", 25), reaction("\u{2764}\u{fe0f}", 1)],
        pinned: true,
        sent_at: Some(at_ms(-7)),
        edited_at: Some(at_ms(5)),
        ..message(4, "Bob \u{1f680}")
    };
    let deleted =
        Message { rev: Seq(12), text: None, deleted_at: Some(at_ms(6)), ..message(5, "gone") };
    let (conversation_id, messages) = (conversation(1), vec![edited, deleted]);
    Event::MessagesChanged { conversation_id, after: Seq(10), through: Seq(12), messages }
}

/// System messages of every kind that has more than people.
fn membership_news(title: Title) -> Vec<Message> {
    let event = |event_type| SystemEvent::new(event_type, user(1), vec![user(2)]);
    let events = [
        event(EventType::MembersAdded),
        event(EventType::MemberJoined),
        event(EventType::MemberLeft),
        event(EventType::MemberRemoved),
        SystemEvent { role: Some(Role::Owner), ..event(EventType::RoleChanged) },
        SystemEvent { title: Some(title), ..event(EventType::TitleChanged) },
        event(EventType::DescriptionChanged),
        event(EventType::PictureChanged),
        event(EventType::HistoryChanged),
    ];
    let told = |(seq, event)| Message {
        kind: MessageKind::System,
        text: None,
        event: Some(event),
        ..message(seq, "told")
    };
    (20..).zip(events).map(told).collect()
}

fn changes_of_groups() -> Vec<Event> {
    let title = Title::parse("The \"engine\" \u{1f682}").expect("a title");
    let group = Conversation {
        id: conversation(1),
        conversation_type: ConversationType::Group,
        title: Some(title.clone()),
        description: None,
        avatar_url: None,
        shares_history: false,
        created_by: user(1),
        created_at: at_ms(0),
        changed_at: at_ms(1),
        last_seq: Seq(1),
        member_count: 3,
    };
    let direct =
        Conversation { conversation_type: ConversationType::Direct, title: None, ..group.clone() };
    let described = Conversation {
        description: Some(Description::parse("What it is \"for\"").expect("a description")),
        avatar_url: Some(AvatarUrl::parse("https://example.org/a.png?x=1").expect("an address")),
        shares_history: true,
        ..group.clone()
    };
    let told =
        [group, direct, described].map(|conversation| Event::ConversationChanged { conversation });
    let removed = Event::ConversationRemoved { conversation_id: conversation(1) };
    told.into_iter().chain([removed, messages_new(membership_news(title))]).collect()
}

fn changes_of_contacts() -> Vec<Event> {
    vec![
        contact_changed(true, ContactStatus::Requested),
        contact_changed(true, ContactStatus::Contacts),
        contact_changed(true, ContactStatus::Declined),
        contact_changed(false, ContactStatus::Removed),
    ]
}

fn contact_changed(has_request: bool, status: ContactStatus) -> Event {
    let request = ContactRequest {
        id: ContactRequestId(Uuid::from_u128(7)),
        from: user(1),
        to: user(2),
        created_at: at_ms(0),
    };
    Event::ContactChanged { request: has_request.then_some(request), user_id: user(2), status }
}

/// One of each kind that may wait in a queue.
pub fn events() -> Vec<Event> {
    let conversation_id = conversation(1);
    let marks = |number, delivered, read| MemberMarks {
        user_id: user(number),
        marks: Marks { delivered: Seq(delivered), read: Seq(read) },
    };
    let view = |number, presence, last_seen_at| PresenceView {
        user_id: user(number),
        presence,
        last_seen_at,
    };
    let users = vec![
        view(1, Presence::Online, Some(at_ms(0))),
        view(2, Presence::Away, None),
        view(3, Presence::Dnd, None),
        view(4, Presence::Offline, Some(at_ms(-1))),
    ];
    let mut events = vec![
        messages_new(vec![message(7, "seven")]),
        messages_changed(),
        // What a member is told who joined after these messages: the frame moves their cursor.
        messages_changed().seen_from(Seq(9)),
        rejected(Rejection::InvalidReplyTo),
        rejected(Rejection::InvalidMention),
        rejected(Rejection::Quarantined),
        Event::ReceiptUpdated { conversation_id, marks: vec![marks(1, 5, 0), marks(2, 9, 9)] },
        Event::PresenceChanged { users },
        Event::Nudge { conversation_id, last_seq: Seq(12) },
    ];
    events.extend(changes_of_groups());
    events.extend(changes_of_contacts());
    events
}
