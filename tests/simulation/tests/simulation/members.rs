//! Joining, leaving, removing, renaming, blocking: what the product's own services do of it.

use std::sync::Arc;

use domain::{ConversationId, Seq, Title, UserId};
use service::port::{GroupChange, GroupChanged, GroupEdit};
use service::{Caller, Error};

use crate::book::Seat;
use crate::device::Device;
use crate::invocation::{Patience, invoke};
use crate::ports::Ports;
use crate::world::{Group, World, lock, sleep_ms};

/// How long somebody waits for a removal before they give up on letting in again at once.
const RETURN_PATIENCE_MS: u64 = 4_000;
/// Before half of those who block somebody think better of it.
const BLOCKED_MOST_MS: u64 = 20_000;
/// In a thousand: how often who comes or goes does so themself.
const BY_THEMSELF: u64 = 400;

fn is_in(world: &World, id: ConversationId, user: UserId) -> bool {
    world.history.active_members(id).contains(&user)
}

/// Somebody comes into a group or goes, or the group gets another title.
pub fn change_some(world: &Arc<World>) {
    let Some((group, user)) = some_other(world) else { return };
    let (world, is_renamed) = (Arc::clone(world), world.chance.roll(200));
    tokio::spawn(async move {
        if is_renamed { rename(&world, group).await } else { change(&world, group, user).await }
    });
}

/// A group, and somebody who is not its owner: the owner stays.
fn some_other(world: &World) -> Option<(Group, Caller)> {
    let group = world.chance.pick(&lock(&world.groups)).cloned()?;
    let callers = world.devices().iter().map(|device| device.caller);
    let others: Vec<Caller> = callers.filter(|caller| *caller != group.owner).collect();
    let user = *world.chance.pick(&others)?;
    Some((group, user))
}

/// Out and in again at once, so that two copies are under way together.
pub fn leave_and_return(world: &Arc<World>) {
    let Some((group, user)) = some_other(world) else { return };
    let world = Arc::clone(world);
    tokio::spawn(async move {
        let was_in = is_in(&world, group.id, user.user_id());
        let first = {
            let (world, group) = (Arc::clone(&world), group.clone());
            async move { change(&world, group, user).await }
        };
        tokio::spawn(first);
        let end = world.now_ms() + RETURN_PATIENCE_MS;
        while is_in(&world, group.id, user.user_id()) == was_in && world.now_ms() < end {
            sleep_ms(1).await;
        }
        change(&world, group, user).await;
    });
}

async fn change(world: &Arc<World>, group: Group, user: Caller) {
    let is_in = is_in(world, group.id, user.user_id());
    let by_themself = world.chance.roll(BY_THEMSELF);
    ask(world, |ports| async move {
        let Group { id, owner, invite } = group;
        match (is_in, by_themself) {
            (true, true) => ports.groups().change(user, id, GroupChange::Leave).await,
            (true, false) => {
                let removal = GroupChange::Remove(user.user_id());
                ports.groups().change(owner, id, removal).await
            }
            (false, true) => ports.admissions().accept(user, &invite).await,
            (false, false) => {
                let addition = GroupChange::Add(vec![user.user_id()]);
                ports.groups().change(owner, id, addition).await
            }
        }
    })
    .await;
}

async fn rename(world: &Arc<World>, group: Group) {
    let title = Title::parse(&format!("group {}", world.chance.below(1_000))).ok();
    let edit = GroupChange::Edit(GroupEdit { title, ..GroupEdit::default() });
    let Group { id, owner, .. } = group;
    ask(world, |ports| async move { ports.groups().change(owner, id, edit).await }).await;
}

/// Over HTTP. A refusal is an answer too.
async fn ask<T, F>(world: &Arc<World>, work: impl FnOnce(Ports) -> F)
where
    F: Future<Output = Result<T, Error>>,
{
    let done = invoke(world, "change-group", Patience::Request, work).await;
    if let Some(Err(error)) = done {
        world.say(|| format!("change-group: {error}"));
    }
}

/// Written down at the moment of the commit.
pub fn changed(world: &World, changed: &GroupChanged) {
    let id = changed.conversation.id;
    for message in &changed.messages {
        world.book.announced(world, message);
        if let Some(event) = &message.event {
            world.count(event.event_type.as_str(), "members");
        }
    }
    for copy in &changed.copies {
        let user = copy.user_id;
        let known = changed.recipients.iter().find(|one| one.user_id == user);
        world.say(|| format!("{user} is in: {} at {}", copy.is_active, copy.version));
        sit(world, (id, user), copy.version, known.map(|one| one.joined_seq));
    }
}

/// `joined`: where their time begins, unless they are out.
fn sit(world: &World, key: (ConversationId, UserId), at: Seq, joined: Option<Seq>) {
    world.book.write(|r| {
        let seats = r.seats.entry(key).or_default();
        match (joined, seats.last_mut()) {
            (Some(joined), _) => seats.push(Seat { joined, marks: at, left: None }),
            (None, Some(seat)) => seat.left = Some(at),
            (None, None) => {}
        }
    });
}

/// Of two people of a direct conversation one does not want to hear the other any more, or again.
pub fn block_some(world: &Arc<World>) {
    let directs = lock(&world.directs).clone();
    let Some((id, one, other)) = world.chance.pick(&directs).copied() else { return };
    let is_blocked = world.book.read(|r| r.blocked.contains(&id));
    let world = Arc::clone(world);
    tokio::spawn(async move {
        if !is_blocked {
            ask(&world, |ports| async move { ports.blocking().block(one, other).await }).await;
            sleep_ms(world.chance.between(100, BLOCKED_MOST_MS)).await;
        }
        if is_blocked || world.chance.roll(500) {
            ask(&world, |ports| async move { ports.blocks().unblock(one, other).await }).await;
        }
    });
}

/// Somebody wants a direct conversation out of their list until its next message.
pub fn hide_some(world: &Arc<World>, device: &Device) {
    let is_theirs = |(_, one, other): &&(ConversationId, Caller, UserId)| {
        device.user() == one.user_id() || device.user() == *other
    };
    let directs: Vec<_> = lock(&world.directs).iter().filter(is_theirs).copied().collect();
    let Some((id, ..)) = world.chance.pick(&directs).copied() else { return };
    let (world, caller) = (Arc::clone(world), device.caller);
    tokio::spawn(async move {
        ask(&world, |ports| async move { ports.groups().delete(caller, id).await }).await;
    });
}

/// Written down at the moment of the commit. Nobody here is blocked from both sides.
pub fn blocked(world: &World, user: UserId, other: UserId, is_blocked: bool) {
    world.count(if is_blocked { "blocked" } else { "unblocked" }, "members");
    let directs = lock(&world.directs).clone();
    let of_them = directs.iter().filter(|(_, one, two)| (one.user_id(), *two) == (user, other));
    for (id, ..) in of_them {
        world.book.write(|r| if is_blocked { r.blocked.insert(*id) } else { r.blocked.remove(id) });
    }
}
