//! Cutting an event that is too large for one frame, or for one job.

use domain::{Message, Seq, limits};
use protocol::frame::{Messages, Said};
use protocol::value::Message as WireMessage;
use service::Event;

/// The event in two, to be told one after the other. `None` for one that cannot be cut.
pub(crate) fn halves(event: &Event) -> Option<[Event; 2]> {
    match event {
        Event::MessagesNew { messages, .. } | Event::MessagesChanged { messages, .. } => {
            halves_of_messages(event, messages)
        }
        Event::ReceiptUpdated { conversation_id, marks } if marks.len() > 1 => {
            let (first, second) = marks.split_at(marks.len() / 2);
            Some([first, second].map(|some| Event::ReceiptUpdated {
                conversation_id: *conversation_id,
                marks: some.to_vec(),
            }))
        }
        Event::PresenceChanged { users } if users.len() > 1 => {
            let (first, second) = users.split_at(users.len() / 2);
            Some([first, second].map(|some| Event::PresenceChanged { users: some.to_vec() }))
        }
        _ => None,
    }
}

fn halves_of_messages(event: &Event, messages: &[Message]) -> Option<[Event; 2]> {
    let (_, after, through) = event.numbers()?;
    let (first, second) = messages.split_at(messages.len() / 2);
    let boundary = first.last()?.rev;
    can_be_parted(after, through, messages)
        .then(|| [part(event, after, boundary, first), part(event, boundary, through, second)])
}

/// The same kind of event with these messages only.
fn part(event: &Event, after: Seq, through: Seq, some: &[Message]) -> Event {
    let mut part = event.clone();
    if let Event::MessagesNew { after: from, through: to, messages, .. }
    | Event::MessagesChanged { after: from, through: to, messages, .. } = &mut part
    {
        (*from, *to, *messages) = (after, through, some.to_vec());
    }
    part
}

/// Whether the messages can be told in parts: each has a number of its own in (after, through],
/// and they ascend, so that every part ends where the next one starts.
fn can_be_parted(after: Seq, through: Seq, messages: &[Message]) -> bool {
    let revs = || messages.iter().map(|message| message.rev);
    revs().is_sorted_by(|one, next| one < next) && revs().all(|rev| after < rev && rev <= through)
}

/// Splits new or changed messages, told whole in so many bytes, between messages. A message that
/// is too large for any frame ends them with a nudge: the client fetches it and all after it.
pub(super) fn of_messages(
    event: &Event,
    whole_bytes: usize,
) -> Result<Vec<Said>, serde_json::Error> {
    let (Event::MessagesNew { conversation_id, after, through, messages }
    | Event::MessagesChanged { conversation_id, after, through, messages }) = event
    else {
        return Ok(vec![super::said(event)]);
    };
    if !can_be_parted(*after, *through, messages) {
        return Ok(vec![super::nudge(*conversation_id, *through)]);
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
    let is_new = matches!(event, Event::MessagesNew { .. });
    let tell = |after: Seq, through: Seq, messages| {
        let conversation_id = conversation_id.0;
        let told = Messages { conversation_id, after: after.0, through: through.0, messages };
        if is_new { Said::MessageNew(told) } else { Said::MessageChanged(told) }
    };

    let (mut said, mut part, mut part_bytes) = (Vec::new(), Vec::new(), 0);
    let (mut start, mut end) = (*after, *after);
    for (rev, wire, bytes) in sized {
        if bytes > room {
            if !part.is_empty() {
                said.push(tell(start, end, part));
            }
            said.push(super::nudge(*conversation_id, *through));
            return Ok(said);
        }
        if part_bytes + bytes > room {
            said.push(tell(start, end, std::mem::take(&mut part)));
            (start, part_bytes) = (end, 0);
        }
        part_bytes += bytes;
        end = rev;
        part.push(wire);
    }
    said.push(tell(start, *through, part));
    Ok(said)
}
