//! What becomes of what was accepted.

use std::collections::BTreeSet;

use domain::{ClientId, ConversationId, UserId};
use protocol::job::PersistMessagesV1;
use service::port::Quarantined;

use crate::book::Key;
use crate::gateway::short;
use crate::plan::Flavour;
use crate::world::{World, lock};

/// How long another conversation may wait for a poisoned or deadly one: a crash hides its batch
/// for 30 s, a few times.
const POISON_DELAY_MOST_MS: u64 = 180_000;

/// The messages of one job that was set aside.
pub fn names(job: &Quarantined) -> Vec<Key> {
    let Ok(job) = serde_json::from_str::<PersistMessagesV1>(&job.body) else { return vec![] };
    let (id, sender) = (ConversationId(job.conversation_id), UserId(job.sender_id));
    let names = job.messages.iter().filter_map(|draft| draft.client_id.as_ref()?.parse().ok());
    names.map(|client_id: ClientId| (id, sender, client_id)).collect()
}

pub fn quarantined(world: &World) -> BTreeSet<Key> {
    world.lane.quarantined().iter().flat_map(names).collect()
}

/// Accepted = stored ∪ rejected ∪ quarantined, after healing; and the sender was told.
pub fn i01_accepted_is_stored_rejected_or_quarantined(world: &World) {
    if world.lane.lane_length() > 0 {
        world.violate(1, format!("{} jobs are left in the lane", world.lane.lane_length()));
    }
    let set_aside = quarantined(world);
    let stored: BTreeSet<Key> = world.book.read(|r| {
        let key = |m: &protocol::value::Message| {
            (ConversationId(m.conversation_id), UserId(m.sender_id), ClientId(m.client_id))
        };
        r.versions.values().map(key).collect()
    });
    let lost = world.book.read(|r| {
        let has_end = |key: &&Key| {
            stored.contains(*key) || r.rejected.contains_key(*key) || set_aside.contains(*key)
        };
        r.accepted.keys().filter(|key| !has_end(key)).copied().collect::<Vec<_>>()
    });
    for (_, _, client_id) in lost {
        world.violate(1, format!("{} was accepted and has no end", short(client_id.0)));
    }
    for device in world.devices() {
        let core = lock(&device.core);
        let ids: Vec<_> = world.book.read(|r| r.last_seqs.keys().copied().collect());
        if core.unsettled() > 0 {
            let (name, count) = (&device.name, core.unsettled());
            let pending: Vec<_> = ids.iter().flat_map(|id| core.pending(id.0)).collect();
            let pending: Vec<_> =
                pending.iter().map(|p| (short(p.client_id), p.stage)).take(5).collect();
            drop(core);
            world.violate(1, format!("{name} was never told of {count}: {pending:?}"));
        }
    }
}

/// Poison delays only its own conversation, by a bounded time.
pub fn i10_poison_delays_only_its_own_conversation(world: &World) {
    if world.plan.flavour != Flavour::Poison {
        return;
    }
    let late = world.book.read(|r| {
        let of_bad = r.accepted.keys().filter(|(_, _, client_id)| r.bad.contains(client_id));
        let sick: BTreeSet<ConversationId> = of_bad.map(|(id, ..)| *id).collect();
        let healthy = r.accepted.iter().filter(|((id, ..), _)| !sick.contains(id));
        let took = healthy.filter_map(|(key, at)| Some((*key, r.ended.get(key)? - at)));
        took.filter(|(_, ms)| *ms > POISON_DELAY_MOST_MS).collect::<Vec<_>>()
    });
    for ((_, _, client_id), ms) in late {
        let name = short(client_id.0);
        world.violate(10, format!("{name} waited {ms} ms for poison of other conversations"));
    }
}

/// A non-empty quarantine raises the alarm.
pub fn i13_a_quarantine_raises_the_alarm(world: &World) {
    let is_filled = !world.lane.quarantined().is_empty();
    let alarms = world.book.read(|r| r.alarms);
    if is_filled && alarms == 0 {
        world.violate(13, "jobs were set aside, and nobody was called");
    }
}
