//! Values to put through a port.

use domain::{
    ClientId, ConnectionId, ConversationId, Draft, DraftParts, Mention, Message, MessageKind,
    MessageText, Rejection, Seq, SessionId, Timestamp, TraceId, UserId,
};
use service::port::Submission;
use service::{Connection, Event, Identity, Recipient};
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
    let rejection = Rejection::NotAMember;
    Event::MessageRejected { conversation_id: conversation(1), client_id: client(1), rejection }
}

pub fn recipients(count: u128) -> Vec<Recipient> {
    let recipient = |number| Recipient { user_id: user(number), joined_seq: Seq(3) };
    (1..=count).map(recipient).collect()
}
