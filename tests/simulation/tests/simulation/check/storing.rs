//! What is true of the history itself.

use std::collections::BTreeMap;

use domain::{ConversationId, Message, MessageKind, Seq};
use futures::FutureExt;
use protocol::value::Message as WireMessage;
use service::port::{MessageStore, Submission};

use crate::world::World;

/// (conversation, seq) and (conversation, sender, client_id) are unique.
pub fn i03_numbers_and_names_are_unique(world: &World, message: &Message) {
    let id = message.conversation_id;
    let is_taken = world.book.read(|r| r.versions.contains_key(&(id, message.seq.0)));
    if is_taken {
        world.violate(3, format!("the number {} was given twice", message.seq));
    }
    let key = (id, message.sender_id, message.client_id);
    let other = world.book.write(|r| r.numbers.insert(key, message.seq.0));
    if let Some(other) = other {
        world.violate(3, format!("one message is {other} and {}", message.seq));
    }
}

/// (conversation, seq) and (conversation, sender, client_id) are unique.
pub fn i03_history_has_each_message_once(world: &World) {
    for id in world.book.read(|r| r.last_seqs.keys().copied().collect::<Vec<_>>()) {
        let mut names = BTreeMap::new();
        let mut last = 0;
        for message in world.history.history(id) {
            if message.seq.0 <= last {
                world.violate(3, format!("{} stands after {last}", message.seq));
            }
            last = message.seq.0;
            let name = (message.sender_id, message.client_id);
            if let Some(other) = names.insert(name, message.seq) {
                world.violate(3, format!("one message is {other} and {}", message.seq));
            }
        }
    }
}

/// Each number ≤ `last_seq` was assigned once.
pub fn i04_numbers_are_given_in_their_order(world: &World, message: &Message) {
    let id = message.conversation_id;
    let last = world.book.read(|r| r.last_seqs.get(&id).copied().unwrap_or(0));
    if message.rev.0 != last + 1 {
        world.violate(4, format!("the number {} was given after {last}", message.rev));
    }
}

/// The feed from any cursor ends at `last_seq` and equals the current rows.
pub fn i04_the_feed_from_any_cursor_is_the_history(world: &World) {
    let last_seqs = world.book.read(|r| r.last_seqs.clone());
    for (id, last_seq) in last_seqs {
        // One who was there from the beginning sees all of it.
        let owner = world.book.read(|r| {
            let from_the_first = |(key, seats): (&(_, _), &Vec<crate::book::Seat>)| {
                let first = seats.first().is_some_and(|s| s.joined == Seq(0) && s.left.is_none());
                (key.0 == id && first).then_some(key.1)
            };
            r.seats.iter().find_map(from_the_first)
        });
        let Some(owner) = owner else { continue };
        let rows = world.history.history(id);
        // Long histories are looked at from some places only.
        for after in (0..=last_seq).step_by(usize::try_from(last_seq / 40 + 1).unwrap_or(1)) {
            let expected: BTreeMap<i64, WireMessage> = rows
                .iter()
                .filter(|row| row.rev.0 > after)
                .map(|row| (row.rev.0, WireMessage::from(row)))
                .collect();
            let (found, end) = feed(world, owner, id, after);
            if end != last_seq || found != expected {
                let what = format!("the feed after {after} ends at {end} of {last_seq}");
                world.violate(4, what);
                return;
            }
        }
    }
}

fn feed(
    world: &World,
    user: domain::UserId,
    id: ConversationId,
    after: i64,
) -> (BTreeMap<i64, WireMessage>, i64) {
    let (mut found, mut cursor) = (BTreeMap::new(), after);
    let limit = u32::try_from(world.chance.between(1, 30)).unwrap_or(1);
    for _ in 0..10_000 {
        let page = world.history.changes(user, id, Seq(cursor), limit).now_or_never();
        let Some(Ok(Some(page))) = page else { break };
        found.extend(page.items.iter().map(|m| (m.rev.0, WireMessage::from(m))));
        cursor = page.through.0;
        if !page.has_more {
            break;
        }
    }
    (found, cursor)
}

/// If one device had *a* accepted before it sent *b*, seq(a) < seq(b), unless *a* was rejected or
/// quarantined. What a client promises is more: what one device posts stays in its order, and
/// that is what is looked at here.
pub fn i06_one_device_keeps_its_order(world: &World) {
    let set_aside = crate::check::ends::quarantined(world);
    let posted = world.book.read(|r| r.posted.clone());
    for ((index, id), client_ids) in posted {
        let user = world.devices()[index].user();
        let history = world.history.history(id);
        let mut last = None;
        for client_id in client_ids {
            let key = (id, user, client_id);
            let was_refused = world.book.read(|r| r.rejected.contains_key(&key));
            if was_refused || set_aside.contains(&key) {
                continue;
            }
            let is_it = |m: &&Message| m.sender_id == user && m.client_id == client_id;
            let Some(seq) = history.iter().find(is_it).map(|m| m.seq) else { continue };
            if let Some(before) = last.filter(|before| *before > seq) {
                world.violate(6, format!("posted after {before}, stored as {seq}"));
            }
            last = Some(seq);
        }
    }
}

/// Nothing commits after removal.
pub fn i09_nothing_commits_after_removal(world: &World, one: &Submission) {
    let key = (one.conversation_id, one.sender_id);
    let (is_in, is_blocked) = world.book.read(|r| {
        let last = r.seats.get(&key).and_then(|seats| seats.last());
        let is_in = last.is_some_and(|seat| seat.left.is_none());
        (is_in, r.blocked.contains(&one.conversation_id))
    });
    if !is_in || is_blocked {
        let name = one.draft.client_id;
        world.violate(9, format!("{name} was stored for somebody who may not write"));
    }
}

/// Whether a person wrote it, and not the server.
pub fn is_written(message: &WireMessage) -> bool {
    message.kind != MessageKind::System.as_str()
}
