//! What is true of marks, memberships and connections.

use client::core::Tick;
use domain::limits;
use futures::FutureExt;
use service::port::{ConnectionStore, PresenceStore, RaisedMarks};

use super::storing::is_written;
use crate::world::{World, lock};

/// Marks never go back; read ≤ delivered ≤ last_seq; ✓✓ only if a device applied it.
pub fn i07_marks_rise_and_tell_the_truth(world: &World, raised: &RaisedMarks) {
    let RaisedMarks { conversation_id: id, user_id: user, before, after, .. } = raised;
    let (last, applied, began) = world.book.read(|r| {
        let seats = r.seats.get(&(*id, *user));
        let began = seats.and_then(|seats| seats.last()).map_or(0, |seat| seat.marks.0);
        let applied = r.applied.get(&(*id, *user)).copied().unwrap_or(0);
        (r.last_seqs.get(id).copied().unwrap_or(0), applied, began)
    });
    if after.delivered < before.delivered || after.read < before.read {
        world.violate(7, format!("marks of {user} fell from {before:?} to {after:?}"));
    }
    if after.read > after.delivered || after.delivered.0 > last {
        world.violate(7, format!("marks of {user} are {after:?} of {last}"));
    }
    if after.delivered.0 > applied.max(began) {
        world.violate(7, format!("{user} has {applied}, and {after:?} is told"));
    }
}

/// ✓✓ only if a device applied it.
pub fn i07_ticks_tell_the_truth(world: &World) {
    for device in world.devices() {
        let core = lock(&device.core);
        let ids: Vec<_> = core.conversations().map(|(id, _)| id).collect();
        for id in ids {
            for mark in core.marks(id) {
                let key = (domain::ConversationId(id), domain::UserId(mark.user_id));
                let (applied, began) = world.book.read(|r| {
                    let seats = r.seats.get(&key).and_then(|seats| seats.last());
                    (r.applied.get(&key).copied().unwrap_or(0), seats.map_or(0, |s| s.marks.0))
                });
                if mark.delivered > applied.max(began) || mark.read > mark.delivered {
                    let name = &device.name;
                    world.violate(7, format!("{name} sees {mark:?}; applied is {applied}"));
                }
            }
            let own = core.transcript(id).iter().filter(|m| is_written(m));
            let ticked = own.filter(|m| core.tick(id, m.seq) >= Tick::Delivered).count();
            if ticked > 0 {
                world.count("ticked", "clients");
            }
        }
    }
}

/// Copies of memberships are the memberships, after healing.
pub fn i09_copies_of_membership_tell_the_truth(world: &World) {
    for copy in world.live.membership_copies() {
        let members = world.history.active_members(copy.conversation_id);
        if members.contains(&copy.user_id) != copy.is_active {
            let user = copy.user_id;
            world.violate(9, format!("the copy of {user} says active: {}", copy.is_active));
        }
    }
}

/// No deaf live connection; online ⇒ the lease is valid.
pub fn i11_no_live_connection_is_deaf(world: &World) {
    let now = world.now();
    for id in world.gateway.open_ids() {
        let socket = world.gateway.with(&id, |socket| (socket.device.user(), socket.leased_ms));
        let Some((user, leased_ms)) = socket else { continue };
        // One that nobody knows is told so at its next heartbeat.
        if !matches!(world.live.get(&id).now_or_never(), Some(Ok(Some(_)))) {
            continue;
        }
        let lease_ms = u64::try_from(limits::CONNECTION_LEASE.as_millis()).unwrap_or(u64::MAX);
        if world.now_ms() >= leased_ms + lease_ms {
            continue;
        }
        let found = ConnectionStore::of_users(&*world.live, &[user], now).now_or_never();
        let Some(Ok(found)) = found else { continue };
        if !found.iter().any(|connection| connection.id == id) {
            world.violate(11, format!("{id} is open and is told nothing"));
        }
    }
    for device in world.devices() {
        let users = [device.user()];
        let sightings = PresenceStore::of_users(&*world.live, &users, now).now_or_never();
        let leased = ConnectionStore::of_users(&*world.live, &users, now).now_or_never();
        let (Some(Ok(sightings)), Some(Ok(leased))) = (sightings, leased) else { continue };
        let shown = sightings.iter().map(|sighting| sighting.statuses.len()).sum::<usize>();
        if shown > leased.len() {
            world.violate(11, format!("{} is online without a lease", device.name));
        }
    }
}
