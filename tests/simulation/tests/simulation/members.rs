//! Joining, leaving, removing, blocking. No port does this yet: the change is made with the
//! fake's helping hand, and its copy takes the way that the product's takes.

use std::sync::Arc;

use domain::{ClientId, ConversationId, Draft, DraftParts, MessageText, Seq, TraceId, UserId};
use futures::FutureExt;
use service::port::{
    ConversationStore, FanOutJob, FanOutQueue, MembershipCopies, MembershipCopy, Submission,
    Upkeep, Verdict,
};
use service::{Event, Recipient};

use crate::book::Seat;
use crate::invocation::{Patience, invoke};
use crate::ports;
use crate::world::{World, lock, sleep_ms};

/// Groups, each with its owner, who stays.
fn groups(world: &World) -> Vec<(ConversationId, UserId)> {
    lock(&world.groups).clone()
}

fn is_in(world: &World, id: ConversationId, user: UserId) -> bool {
    world.history.active_members(id).contains(&user)
}

/// Somebody joins or leaves a group.
pub fn change_some(world: &Arc<World>) {
    let Some((id, owner, user)) = some_other(world) else { return };
    tokio::spawn(change(Arc::clone(world), id, owner, user));
}

fn some_other(world: &World) -> Option<(ConversationId, UserId, UserId)> {
    let (id, owner) = world.chance.pick(&groups(world)).copied()?;
    let others = world.devices().iter().map(|device| device.user());
    let others: Vec<UserId> = others.filter(|user| *user != owner).collect();
    Some((id, owner, *world.chance.pick(&others)?))
}

/// Out and in again at once, so that two copies are under way together.
pub fn leave_and_return(world: &Arc<World>) {
    let Some((id, owner, user)) = some_other(world) else { return };
    let world = Arc::clone(world);
    tokio::spawn(async move {
        tokio::spawn(change(Arc::clone(&world), id, owner, user));
        sleep_ms(world.chance.between(1, 30)).await;
        tokio::spawn(change(Arc::clone(&world), id, owner, user));
    });
}

/// One transaction in Postgres; then the copy, then the news.
async fn change(world: Arc<World>, id: ConversationId, owner: UserId, user: UserId) {
    let done = invoke(&world, "change-member", Patience::Request, |ports| async move {
        ports.invocation.before("change member").await?;
        let Some((copy, jobs)) = commit(&ports.world, id, owner, user) else { return Ok(()) };
        ports.invocation.after("change member").await?;
        ports.write(&[copy]).await?;
        ports.confirm_copies(&[copy]).await?;
        FanOutQueue::enqueue(&ports, jobs).await
    });
    done.await;
}

/// The number, the seat and the note that a copy is owed, all at one moment.
fn commit(
    world: &World,
    id: ConversationId,
    owner: UserId,
    user: UserId,
) -> Option<(MembershipCopy, Vec<FanOutJob>)> {
    let joins = !is_in(world, id, user);
    let notice = Submission {
        conversation_id: id,
        sender_id: owner,
        draft: notice(world, if joins { "joined" } else { "left" })?,
        accepted_at: world.now(),
        trace_id: TraceId(world.chance.uuid()),
    };
    let written = ports::append(world, &[notice]).now_or_never()?.ok()?;
    let Verdict::Stored(message) = written.appended.first()?.verdict.clone() else { return None };
    let recipients = written.recipients.get(&id).cloned().unwrap_or_default();
    let last_seq = message.seq;
    if joins {
        world.history.add_member(id, user, world.now());
    } else {
        world.history.remove_member(id, user);
    }
    world.count(if joins { "joined" } else { "removed" }, "members");
    world.say(|| format!("{user} {} at {last_seq}", if joins { "joined" } else { "left" }));
    sit(world, id, user, last_seq, joins);
    let copy =
        MembershipCopy { conversation_id: id, user_id: user, is_active: joins, version: last_seq };
    lock(&world.unconfirmed).insert((id, user), (copy, world.now()));
    let told = |event, recipients| FanOutJob::ToMembers { event, trace_ids: vec![], recipients };
    let mut jobs = vec![told(Event::of_new(id, vec![message])?, recipients)];
    if joins {
        let got = world.history.get(user, id).now_or_never()?.ok()??;
        let joiner = Recipient { user_id: user, joined_seq: last_seq };
        jobs.push(told(Event::ConversationChanged { conversation: got }, vec![joiner]));
    }
    Some((copy, jobs))
}

fn sit(world: &World, id: ConversationId, user: UserId, at: Seq, joins: bool) {
    world.book.write(|r| {
        let seats = r.seats.entry((id, user)).or_default();
        if joins {
            seats.push(Seat { joined: at, left: None });
        } else if let Some(seat) = seats.last_mut() {
            seat.left = Some(at);
        }
    });
}

fn notice(world: &World, text: &str) -> Option<Draft> {
    let parts = DraftParts {
        client_id: ClientId(world.chance.uuid()),
        kind: None,
        text: MessageText::parse(text).ok(),
        reply_to: None,
        attachment_ids: vec![],
        mentions: vec![],
        sent_at: None,
    };
    Draft::parse(parts).ok()
}

/// Two people of a direct conversation do not want to hear each other any more.
pub fn block_some(world: &Arc<World>) {
    let directs = lock(&world.directs).clone();
    let Some((id, one, other)) = world.chance.pick(&directs).copied() else { return };
    world.count("blocked", "members");
    world.history.block(one, other);
    world.book.write(|r| r.blocked.insert(id));
}
