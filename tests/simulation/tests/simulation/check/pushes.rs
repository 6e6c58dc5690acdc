//! What is true of every push, at the moment when a socket takes it.

use domain::{ConversationId, UserId};
use protocol::value::Message as WireMessage;
use service::Event;

use crate::book::Records;
use crate::world::World;

fn messages(event: &Event) -> &[domain::Message] {
    match event {
        Event::MessagesNew { messages, .. } | Event::MessagesChanged { messages, .. } => messages,
        _ => &[],
    }
}

/// Anything shown is in history, identical. Nothing is shown to others before it is in Postgres.
pub fn i02_nothing_is_told_before_it_is_history(world: &World, event: &Event) {
    for message in messages(event) {
        let version = (message.conversation_id, message.rev.0);
        let committed = world.book.read(|r| r.versions.get(&version).cloned());
        if committed != Some(WireMessage::from(message)) {
            let (seq, rev) = (message.seq, message.rev);
            world.violate(2, format!("told {seq}, rev {rev}, which is not in history"));
        }
    }
}

/// Whether somebody may see this version of this message.
pub fn may_see(
    records: &Records,
    user: UserId,
    conversation: ConversationId,
    (seq, rev): (i64, i64),
) -> bool {
    let seats = records.seats.get(&(conversation, user));
    seats
        .into_iter()
        .flatten()
        .any(|seat| seq > seat.joined.0 && seat.left.is_none_or(|left| rev <= left.0))
}

/// Nobody receives outside (joined_seq, left_seq].
pub fn i09_nobody_is_told_of_before_or_after_their_time(
    world: &World,
    user: UserId,
    event: &Event,
) {
    for message in messages(event) {
        let (seq, rev) = (message.seq.0, message.rev.0);
        let sees = world.book.read(|r| may_see(r, user, message.conversation_id, (seq, rev)));
        // One's own message is confirmed even to who left and came back meanwhile.
        if !sees && message.sender_id != user {
            world.violate(9, format!("{user} was told {seq}, rev {rev}, outside their time"));
        }
    }
}

/// A push reaches only its user's connections.
pub fn i14_a_push_reaches_only_its_people(world: &World, user: UserId, event: &Event) {
    let is_member = |id: &ConversationId| world.book.read(|r| r.seats.contains_key(&(*id, user)));
    let is_theirs = match event {
        Event::MessagesNew { conversation_id, .. }
        | Event::MessagesChanged { conversation_id, .. }
        | Event::ReceiptUpdated { conversation_id, .. }
        | Event::Nudge { conversation_id, .. }
        | Event::Typing { conversation_id, .. } => is_member(conversation_id),
        Event::ConversationChanged { conversation } => is_member(&conversation.id),
        Event::ConversationRemoved { conversation_id } => {
            let key = (*conversation_id, user);
            world.book.read(|r| r.seats.get(&key).is_some_and(|seats| seats[0].left.is_some()))
        }
        Event::MessageRejected { conversation_id, client_id, .. } => {
            let key = (*conversation_id, user, *client_id);
            world.book.read(|r| r.accepted.contains_key(&key))
        }
        Event::ContactChanged { .. }
        | Event::PresenceChanged { .. }
        | Event::Bye { .. }
        | Event::Error { .. } => true,
    };
    if let Event::ConversationRemoved { conversation_id } = event {
        let key = (*conversation_id, user);
        let last = world.book.read(|r| r.seats.get(&key).and_then(|seats| seats.last().copied()));
        if last.is_some_and(|seat| seat.left.is_none()) {
            world.count("told to be out when back", "push");
        }
    }
    if !is_theirs {
        world.violate(14, format!("{user} was told what is for others: {event:?}"));
    }
}
