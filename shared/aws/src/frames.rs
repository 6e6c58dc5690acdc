//! Events as the frames that sockets are told.

mod contacts;
mod parts;

use domain::{ConversationId, Invalid, Marks, Message, Rejection, Seq, UserId, limits};
use protocol::frame::{
    Bye, ConversationChanged, ErrorData, MessageRejected, Messages, Nudge, PresenceChanged,
    ReceiptUpdated, Said, ServerFrame, Typing,
};
use protocol::value::{
    Conversation, MemberMarks as WireMarks, Message as WireMessage, Presence as WirePresence,
};
use service::port::Entropy;
use service::{Event, MemberMarks, PresenceView};

pub(crate) use parts::halves;

/// An event that came through a queue and is none that a queue may carry.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    #[error("a queue carries no such event")]
    NotForQueues,
    #[error("the event has a value that no event of ours has: {0}")]
    Invalid(&'static str),
}

/// The frames that say this event, in order, none larger than
/// [`limits::FRAME_MAX_BYTES`]. What cannot be said in frames of that size becomes a nudge.
pub fn encode(event: &Event, entropy: &dyn Entropy) -> Result<Vec<String>, serde_json::Error> {
    let whole = frame(said(event), entropy)?;
    if whole.len() <= limits::FRAME_MAX_BYTES {
        return Ok(vec![whole]);
    }
    match event {
        Event::MessagesNew { .. } | Event::MessagesChanged { .. } => {
            let said = parts::of_messages(event, whole.len())?;
            said.into_iter().map(|part| frame(part, entropy)).collect()
        }
        Event::ReceiptUpdated { .. } | Event::PresenceChanged { .. } => match halves(event) {
            Some(halves) => {
                let mut frames = Vec::new();
                for half in &halves {
                    frames.extend(encode(half, entropy)?);
                }
                Ok(frames)
            }
            None => Ok(vec![whole]),
        },
        Event::ConversationChanged { conversation } => {
            Ok(vec![frame(nudge(conversation.id, conversation.last_seq), entropy)?])
        }
        // Too small to get here, whatever they carry.
        Event::MessageRejected { .. }
        | Event::ConversationRemoved { .. }
        | Event::ContactChanged { .. }
        | Event::Typing { .. }
        | Event::Nudge { .. }
        | Event::Bye { .. }
        | Event::Error { .. } => Ok(vec![whole]),
    }
}

/// As frames and jobs carry it.
pub(crate) fn said(event: &Event) -> Said {
    match event {
        Event::MessagesNew { conversation_id, after, through, messages } => {
            Said::MessageNew(told(*conversation_id, *after, *through, messages))
        }
        Event::MessagesChanged { conversation_id, after, through, messages } => {
            Said::MessageChanged(told(*conversation_id, *after, *through, messages))
        }
        Event::MessageRejected { conversation_id, client_id, rejection } => {
            Said::MessageRejected(MessageRejected {
                conversation_id: conversation_id.0,
                client_id: client_id.0,
                code: rejection.code().to_owned(),
                retryable: rejection.is_retryable(),
            })
        }
        Event::ConversationChanged { conversation } => changed(conversation),
        Event::ConversationRemoved { conversation_id } => removed(*conversation_id),
        Event::ContactChanged { request, user_id, status } => {
            contacts::told(request.as_ref(), *user_id, *status)
        }
        Event::ReceiptUpdated { conversation_id, marks } => {
            let marks = marks.iter().map(wire_marks).collect();
            Said::ReceiptUpdated(ReceiptUpdated { conversation_id: conversation_id.0, marks })
        }
        Event::Typing { conversation_id, user_id, is_active, expires_in_ms } => {
            Said::Typing(Typing {
                conversation_id: conversation_id.0,
                user_id: user_id.0,
                active: *is_active,
                expires_in_ms: *expires_in_ms,
            })
        }
        Event::PresenceChanged { users } => {
            Said::PresenceChanged(PresenceChanged { users: users.iter().map(wire_view).collect() })
        }
        Event::Nudge { conversation_id, last_seq } => nudge(*conversation_id, *last_seq),
        Event::Bye { reason, reconnect_after_ms } => {
            let (reason, reconnect_after_ms) = ((*reason).to_owned(), *reconnect_after_ms);
            Said::Bye(Bye { reason, reconnect_after_ms })
        }
        Event::Error { code, detail } => {
            let (code, detail) = ((*code).to_owned(), detail.clone());
            Said::Error(ErrorData { code, detail, retry_after_ms: None, items: None })
        }
    }
}

/// The other way, for the worker behind the fan-out queue.
pub(crate) fn event(said: &Said) -> Result<Event, EventError> {
    read(said).map_err(|invalid| EventError::Invalid(invalid.code))?.ok_or(EventError::NotForQueues)
}

/// `None` for what no queue carries: an answer, a goodbye, and who is typing, which is over before
/// a queue had its turn.
fn read(said: &Said) -> Result<Option<Event>, Invalid> {
    Ok(Some(match said {
        Said::MessageNew(news) => {
            let (conversation_id, after, through, messages) = heard(news)?;
            Event::MessagesNew { conversation_id, after, through, messages }
        }
        Said::MessageChanged(news) => {
            let (conversation_id, after, through, messages) = heard(news)?;
            Event::MessagesChanged { conversation_id, after, through, messages }
        }
        Said::MessageRejected(rejected) => Event::MessageRejected {
            conversation_id: ConversationId(rejected.conversation_id),
            client_id: domain::ClientId(rejected.client_id),
            rejection: Rejection::from_code(&rejected.code)
                .ok_or(Invalid::new("code", "is not the code of a rejection"))?,
        },
        Said::ConversationChanged(ConversationChanged::Is { conversation }) => {
            Event::ConversationChanged { conversation: conversation.try_into()? }
        }
        Said::ConversationChanged(ConversationChanged::Removed { conversation_id, removed }) => {
            if !removed {
                return Err(Invalid::new("removed", "must be true"));
            }
            Event::ConversationRemoved { conversation_id: ConversationId(*conversation_id) }
        }
        Said::ContactChanged(changed) => contacts::heard(changed)?,
        Said::ReceiptUpdated(updated) => Event::ReceiptUpdated {
            conversation_id: ConversationId(updated.conversation_id),
            marks: updated.marks.iter().map(read_marks).collect::<Result<_, _>>()?,
        },
        Said::PresenceChanged(changed) => Event::PresenceChanged {
            users: changed.users.iter().map(read_view).collect::<Result<_, _>>()?,
        },
        Said::Nudge(nudge) => Event::Nudge {
            conversation_id: ConversationId(nudge.conversation_id),
            last_seq: Seq::parse(nudge.last_seq)?,
        },
        Said::MessageAccepted(_)
        | Said::Typing(_)
        | Said::Bye(_)
        | Said::HeartbeatOk(_)
        | Said::Error(_) => return Ok(None),
    }))
}

fn frame(said: Said, entropy: &dyn Entropy) -> Result<String, serde_json::Error> {
    serde_json::to_string(&ServerFrame { id: entropy.uuid_v7(), in_reply_to: None, said })
}

fn told(
    conversation_id: ConversationId,
    after: Seq,
    through: Seq,
    messages: &[Message],
) -> Messages {
    let messages = messages.iter().map(WireMessage::from).collect();
    let (after, through) = (after.0, through.0);
    Messages { conversation_id: conversation_id.0, after, through, messages }
}

fn heard(news: &Messages) -> Result<(ConversationId, Seq, Seq, Vec<Message>), Invalid> {
    let messages = news.messages.iter().map(Message::try_from).collect::<Result<_, _>>()?;
    let (after, through) = (Seq::parse(news.after)?, Seq::parse(news.through)?);
    Ok((ConversationId(news.conversation_id), after, through, messages))
}

fn nudge(conversation_id: ConversationId, last_seq: Seq) -> Said {
    Said::Nudge(Nudge { conversation_id: conversation_id.0, last_seq: last_seq.0 })
}

fn changed(conversation: &domain::Conversation) -> Said {
    let conversation = Conversation::from(conversation);
    Said::ConversationChanged(ConversationChanged::Is { conversation })
}

fn removed(conversation_id: ConversationId) -> Said {
    let conversation_id = conversation_id.0;
    Said::ConversationChanged(ConversationChanged::Removed { conversation_id, removed: true })
}

fn wire_marks(member: &MemberMarks) -> WireMarks {
    let Marks { delivered, read } = member.marks;
    WireMarks { user_id: member.user_id.0, delivered: delivered.0, read: read.0 }
}

fn read_marks(wire: &WireMarks) -> Result<MemberMarks, Invalid> {
    let (delivered, read) = (Seq::parse(wire.delivered)?, Seq::parse(wire.read)?);
    Ok(MemberMarks { user_id: UserId(wire.user_id), marks: Marks { delivered, read } })
}

fn wire_view(view: &PresenceView) -> WirePresence {
    WirePresence {
        user_id: view.user_id.0,
        status: view.presence.as_str().to_owned(),
        last_seen_at: view.last_seen_at.map(|at| at.to_string()),
    }
}

fn read_view(wire: &WirePresence) -> Result<PresenceView, Invalid> {
    Ok(PresenceView {
        user_id: UserId(wire.user_id),
        presence: wire.status.parse()?,
        last_seen_at: wire.last_seen_at.as_deref().map(str::parse).transpose()?,
    })
}
