//! Events and answers as a client meets them.

use protocol::body;
use protocol::frame::{
    Bye, ContactChanged, ConversationChanged, ErrorData, MessageRejected, Messages, Nudge,
    PresenceChanged, ReceiptUpdated, Said, Typing,
};
use protocol::value::{self, Conversation, Message};
use service::port::ChangesPage;
use service::{ConversationEntry, Error, Event, MemberMarks, PresenceView, SyncPage};

fn marks(marks: &MemberMarks) -> value::MemberMarks {
    value::MemberMarks {
        user_id: marks.user_id.0,
        delivered: marks.marks.delivered.0,
        read: marks.marks.read.0,
    }
}

pub fn all_marks(some: &[MemberMarks]) -> Vec<value::MemberMarks> {
    some.iter().map(marks).collect()
}

pub fn presence(view: &PresenceView) -> value::Presence {
    value::Presence {
        user_id: view.user_id.0,
        status: view.presence.as_str().to_owned(),
        last_seen_at: view.last_seen_at.map(|at| at.to_string()),
    }
}

fn messages(event: &Event) -> Option<Messages> {
    let (Event::MessagesNew { conversation_id, after, through, messages }
    | Event::MessagesChanged { conversation_id, after, through, messages }) = event
    else {
        return None;
    };
    Some(Messages {
        conversation_id: conversation_id.0,
        after: after.0,
        through: through.0,
        messages: messages.iter().map(Message::from).collect(),
    })
}

/// What a socket is told.
pub fn said(event: &Event) -> Said {
    match event {
        Event::MessagesNew { .. } => Said::MessageNew(messages(event).unwrap()),
        Event::MessagesChanged { .. } => Said::MessageChanged(messages(event).unwrap()),
        Event::MessageRejected { conversation_id, client_id, rejection } => {
            Said::MessageRejected(MessageRejected {
                conversation_id: conversation_id.0,
                client_id: client_id.0,
                code: rejection.code().to_owned(),
                retryable: rejection.is_retryable(),
            })
        }
        Event::ConversationChanged { conversation } => {
            let conversation = Conversation::from(conversation);
            Said::ConversationChanged(ConversationChanged::Is { conversation })
        }
        Event::ConversationRemoved { conversation_id } => {
            let conversation_id = conversation_id.0;
            let removed = ConversationChanged::Removed { conversation_id, removed: true };
            Said::ConversationChanged(removed)
        }
        Event::ContactChanged { user_id, status, .. } => Said::ContactChanged(ContactChanged {
            user_id: user_id.0,
            status: status.as_str().to_owned(),
            request: None,
        }),
        Event::ReceiptUpdated { conversation_id, marks } => Said::ReceiptUpdated(ReceiptUpdated {
            conversation_id: conversation_id.0,
            marks: all_marks(marks),
        }),
        Event::Typing { conversation_id, user_id, is_active, expires_in_ms } => {
            Said::Typing(Typing {
                conversation_id: conversation_id.0,
                user_id: user_id.0,
                active: *is_active,
                expires_in_ms: *expires_in_ms,
            })
        }
        Event::PresenceChanged { users } => {
            Said::PresenceChanged(PresenceChanged { users: users.iter().map(presence).collect() })
        }
        Event::Nudge { conversation_id, last_seq } => {
            Said::Nudge(Nudge { conversation_id: conversation_id.0, last_seq: last_seq.0 })
        }
        Event::Bye { reason, reconnect_after_ms } => {
            Said::Bye(Bye { reason: (*reason).to_owned(), reconnect_after_ms: *reconnect_after_ms })
        }
        Event::Error { code, detail } => Said::Error(error_data(code, detail, None)),
    }
}

fn error_data(code: &str, detail: &str, retry_after_ms: Option<u64>) -> ErrorData {
    let (code, detail) = (code.to_owned(), detail.to_owned());
    ErrorData { code, detail, retry_after_ms, items: None }
}

/// The answer to a frame that was refused.
pub fn refused(error: &Error) -> Said {
    let (code, retry_after_ms) = match error {
        Error::Invalid(_) => ("validation_failed", None),
        Error::BadRequest { code, .. }
        | Error::Unauthenticated { code, .. }
        | Error::Forbidden { code, .. }
        | Error::NotFound { code, .. }
        | Error::Conflict { code, .. }
        | Error::Gone { code, .. } => (*code, None),
        Error::TooMany { retry_after_ms } => ("too_many_requests", Some(*retry_after_ms)),
        Error::Unavailable { .. } => ("unavailable", Some(1_000)),
        Error::Bug { .. } => ("internal", None),
    };
    Said::Error(error_data(code, "", retry_after_ms))
}

pub fn changes(page: &ChangesPage) -> body::ChangeList {
    body::ChangeList {
        items: page.items.iter().map(Message::from).collect(),
        through: page.through.0,
        last_seq: page.last_seq.0,
        has_more: page.has_more,
    }
}

fn entry(entry: &ConversationEntry) -> body::ConversationEntry {
    body::ConversationEntry {
        conversation: Conversation::from(&entry.conversation),
        last_message: entry.last_message.as_ref().map(Message::from),
        unread_count: entry.unread_count,
        my: body::My::from(&entry.my),
    }
}

pub fn sync(page: &SyncPage) -> body::Sync {
    body::Sync {
        conversations: page.conversations.iter().map(entry).collect(),
        removed: page.removed.iter().map(|id| id.0).collect(),
        next_cursor: page.next_cursor.clone(),
        has_more: page.has_more,
    }
}
