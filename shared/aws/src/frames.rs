//! Events as the frames that sockets are told.

use domain::{ConversationId, Message, Rejection, Seq, limits};
use protocol::frame::{
    Bye, ConversationChanged, ErrorData, MessageRejected, Messages, Nudge, Said, ServerFrame,
};
use protocol::value::{Conversation, Message as WireMessage};
use service::Event;
use service::port::Entropy;

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
        Event::MessagesNew { conversation_id, after, through, messages } => {
            let said = parts(*conversation_id, *after, *through, messages, whole.len())?;
            said.into_iter().map(|part| frame(part, entropy)).collect()
        }
        Event::ConversationChanged { conversation } => {
            Ok(vec![frame(nudge(conversation.id, conversation.last_seq), entropy)?])
        }
        // Too small to get here, whatever they carry.
        Event::MessageRejected { .. } | Event::Bye { .. } | Event::Error { .. } => Ok(vec![whole]),
    }
}

/// As frames and jobs carry it.
pub(crate) fn said(event: &Event) -> Said {
    match event {
        Event::MessagesNew { conversation_id, after, through, messages } => {
            let messages = messages.iter().map(WireMessage::from).collect();
            news(*conversation_id, *after, *through, messages)
        }
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
            Said::ConversationChanged(ConversationChanged { conversation })
        }
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
    let invalid = |invalid: domain::Invalid| EventError::Invalid(invalid.code);
    match said {
        Said::MessageNew(news) => Ok(Event::MessagesNew {
            conversation_id: ConversationId(news.conversation_id),
            after: Seq::parse(news.after).map_err(invalid)?,
            through: Seq::parse(news.through).map_err(invalid)?,
            messages: news
                .messages
                .iter()
                .map(Message::try_from)
                .collect::<Result<_, _>>()
                .map_err(invalid)?,
        }),
        Said::MessageRejected(rejected) => Ok(Event::MessageRejected {
            conversation_id: ConversationId(rejected.conversation_id),
            client_id: domain::ClientId(rejected.client_id),
            rejection: Rejection::from_code(&rejected.code).ok_or(EventError::Invalid("code"))?,
        }),
        Said::ConversationChanged(changed) => {
            let conversation = (&changed.conversation).try_into().map_err(invalid)?;
            Ok(Event::ConversationChanged { conversation })
        }
        Said::MessageAccepted(_)
        | Said::Nudge(_)
        | Said::Bye(_)
        | Said::HeartbeatOk(_)
        | Said::Error(_) => Err(EventError::NotForQueues),
    }
}

/// Whether the messages can be told in parts: each has a number of its own in (after, through],
/// and they ascend, so that every part ends where the next one starts.
pub(crate) fn can_be_parted(after: Seq, through: Seq, messages: &[Message]) -> bool {
    let revs = || messages.iter().map(|message| message.rev);
    revs().is_sorted_by(|one, next| one < next) && revs().all(|rev| after < rev && rev <= through)
}

fn frame(said: Said, entropy: &dyn Entropy) -> Result<String, serde_json::Error> {
    serde_json::to_string(&ServerFrame { id: entropy.uuid_v7(), in_reply_to: None, said })
}

fn news(
    conversation_id: ConversationId,
    after: Seq,
    through: Seq,
    messages: Vec<WireMessage>,
) -> Said {
    let (after, through) = (after.0, through.0);
    Said::MessageNew(Messages { conversation_id: conversation_id.0, after, through, messages })
}

fn nudge(conversation_id: ConversationId, last_seq: Seq) -> Said {
    Said::Nudge(Nudge { conversation_id: conversation_id.0, last_seq: last_seq.0 })
}

/// Splits the news between messages. A message that is too large for any frame ends them with a
/// nudge: the client fetches it and all after it.
fn parts(
    conversation_id: ConversationId,
    after: Seq,
    through: Seq,
    messages: &[Message],
    whole_bytes: usize,
) -> Result<Vec<Said>, serde_json::Error> {
    if !can_be_parted(after, through, messages) {
        return Ok(vec![nudge(conversation_id, through)]);
    }
    let mut sized = Vec::with_capacity(messages.len());
    for message in messages {
        let wire = WireMessage::from(message);
        // And the comma before the next one.
        let bytes = serde_json::to_string(&wire)?.len() + 1;
        sized.push((message.rev, wire, bytes));
    }
    let all_bytes: usize = sized.iter().map(|(_, _, bytes)| bytes).sum();
    // The envelope's numbers may be longer in a part: up to 20 digits each.
    let envelope_bytes = whole_bytes.saturating_sub(all_bytes) + 2 * 20;
    let room = limits::FRAME_MAX_BYTES.saturating_sub(envelope_bytes);

    let (mut said, mut part, mut part_bytes) = (Vec::new(), Vec::new(), 0);
    let (mut start, mut end) = (after, after);
    for (rev, wire, bytes) in sized {
        if bytes > room {
            if !part.is_empty() {
                said.push(news(conversation_id, start, end, part));
            }
            said.push(nudge(conversation_id, through));
            return Ok(said);
        }
        if part_bytes + bytes > room {
            said.push(news(conversation_id, start, end, std::mem::take(&mut part)));
            (start, part_bytes) = (end, 0);
        }
        part_bytes += bytes;
        end = rev;
        part.push(wire);
    }
    said.push(news(conversation_id, start, through, part));
    Ok(said)
}
