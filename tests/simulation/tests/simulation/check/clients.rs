//! What is true of what people see.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ConversationId, limits};
use futures::FutureExt;
use protocol::value::{Conversation, Message as WireMessage};
use service::Page;
use service::port::ConversationStore;
use uuid::Uuid;

use super::pushes::may_see;
use crate::book::Seat;
use crate::device::Device;
use crate::world::{World, lock};

/// Every conversation that a device shows, with what it shows there.
fn transcripts(device: &Device) -> Vec<(Uuid, i64, Vec<WireMessage>)> {
    let core = lock(&device.core);
    let ids: Vec<Uuid> = core.conversations().map(|(id, _)| id).collect();
    ids.into_iter().map(|id| (id, core.cursor(id), core.transcript(id).to_vec())).collect()
}

/// The time of an active member, and nothing for others.
fn seat(world: &World, device: &Device, id: Uuid) -> Option<Seat> {
    let key = (ConversationId(id), device.user());
    let last = world.book.read(|r| r.seats.get(&key).and_then(|seats| seats.last().copied()));
    last.filter(|seat| seat.left.is_none())
}

/// What the server lists for this person.
fn listed(world: &World, device: &Device) -> BTreeMap<Uuid, Conversation> {
    let everything = Page { cursor: None, limit: limits::PAGE_MAX };
    let found = world.history.list(device.user(), everything).now_or_never();
    let (entries, _) = found.and_then(Result::ok).unwrap_or_default();
    let entries = entries.iter().map(|entry| Conversation::from(&entry.conversation));
    entries.map(|conversation| (conversation.id, conversation)).collect()
}

/// Anything shown is in history, identical; and (9) it is of the receiver's time.
pub fn i02_what_is_shown_is_history(world: &World) {
    for device in world.devices() {
        for (id, _, messages) in transcripts(device) {
            let id = ConversationId(id);
            for message in messages {
                let (seq, rev) = (message.seq, message.rev);
                let committed = world.book.read(|r| r.versions.get(&(id, rev)).cloned());
                if committed.as_ref() != Some(&message) {
                    let name = &device.name;
                    world.violate(2, format!("{name} shows {seq}, rev {rev}: not in history"));
                }
                let is_own = message.sender_id == device.user().0;
                if !is_own && !world.book.read(|r| may_see(r, device.user(), id, (seq, rev))) {
                    let name = &device.name;
                    world.violate(9, format!("{name} shows {seq}, rev {rev}: not their time"));
                }
            }
        }
    }
}

/// All clients agree: each shows all of its time, as it is in history. What somebody has hidden is
/// not looked at until its next message.
pub fn i05_all_clients_agree(world: &World) {
    for device in world.devices() {
        let listed = listed(world, device);
        for ((id, user), _) in world.book.read(|r| r.seats.clone()) {
            if user != device.user() {
                continue;
            }
            let seat = seat(world, device, id.0).filter(|_| listed.contains_key(&id.0));
            let Some(Seat { joined, .. }) = seat else { continue };
            let rows = world.history.history(id).into_iter();
            let rows = rows.filter(|row| row.seq > joined);
            let expected: BTreeMap<i64, WireMessage> =
                rows.map(|row| (row.seq.0, WireMessage::from(&row))).collect();
            let shown = lock(&device.core).transcript(id.0).to_vec();
            let shown = shown.into_iter().filter(|message| message.seq > joined.0);
            let shown: BTreeMap<i64, WireMessage> =
                shown.map(|message| (message.seq, message)).collect();
            if shown != expected {
                let missing = expected.iter().filter(|(seq, row)| shown.get(seq) != Some(row));
                let missing: Vec<i64> = missing.map(|(seq, _)| *seq).take(5).collect();
                let surplus = shown.keys().filter(|seq| !expected.contains_key(seq));
                let surplus: Vec<i64> = surplus.copied().take(5).collect();
                let name = &device.name;
                let what = format!("{name} lacks {missing:?} and shows {surplus:?} besides");
                world.violate(5, what);
            }
        }
    }
}

/// All clients agree: each lists what its person is in, as it is, and nothing else.
pub fn i05_everybody_lists_what_they_are_in(world: &World) {
    for device in world.devices() {
        let known: BTreeMap<Uuid, Option<Conversation>> = {
            let core = lock(&device.core);
            core.conversations().map(|(id, known)| (id, known.cloned())).collect()
        };
        let name = &device.name;
        let listed = listed(world, device);
        for id in known.keys().chain(listed.keys()).collect::<BTreeSet<_>>() {
            let (shown, truth) = (known.get(id).and_then(Option::as_ref), listed.get(id));
            // In doubt it is shown: an old message that comes late looks like the next one.
            let is_hidden = truth.is_none() && seat(world, device, *id).is_some();
            if shown != truth && !is_hidden {
                world.violate(5, format!("{name} lists {shown:?} for {truth:?}"));
            }
        }
    }
}

/// Cursors never go back.
pub fn i07_cursors_never_go_back(world: &World, device: &Device, id: Uuid, cursor: i64) {
    let before = world.book.read(|r| r.cursors.get(&(device.index, id)).copied().unwrap_or(0));
    if cursor < before {
        world.violate(7, format!("{}'s cursor fell from {before} to {cursor}", device.name));
    }
    let last = world.book.read(|r| r.last_seqs.get(&ConversationId(id)).copied().unwrap_or(0));
    if cursor > last {
        world.violate(7, format!("{}'s cursor is {cursor}, beyond {last}", device.name));
    }
}

/// After healing all cursors reach `last_seq`, of who was let in unheard too.
pub fn i08_all_cursors_reach_the_end(world: &World) {
    let seats = world.book.read(|r| r.seats.clone());
    for device in world.devices() {
        let listed = listed(world, device);
        for (id, user) in seats.keys() {
            if *user != device.user() {
                continue;
            }
            if seat(world, device, id.0).is_none() || !listed.contains_key(&id.0) {
                continue;
            }
            let last = world.book.read(|r| r.last_seqs.get(id).copied().unwrap_or(0));
            let cursor = lock(&device.core).cursor(id.0);
            if cursor != last {
                let name = &device.name;
                world.violate(8, format!("{name}'s cursor stays at {cursor} of {last}"));
            }
        }
    }
}

/// Nothing is rendered twice.
pub fn i12_nothing_is_shown_twice(world: &World, device: &Device, id: Uuid, seq: i64) {
    let is_new = world.book.write(|r| r.shown.insert((device.index, id, seq)));
    if !is_new {
        world.violate(12, format!("{} showed {seq} twice", device.name));
    }
}

/// Nothing is rendered twice: no message has two places.
pub fn i12_no_message_has_two_places(world: &World) {
    for device in world.devices() {
        for (_, _, messages) in transcripts(device) {
            let mut names = BTreeSet::new();
            for message in messages {
                if !names.insert((message.sender_id, message.client_id)) {
                    world.violate(12, format!("{} shows {} twice", device.name, message.seq));
                }
            }
        }
    }
}
