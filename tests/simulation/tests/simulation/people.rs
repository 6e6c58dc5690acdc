//! What people do.

use std::sync::Arc;

use domain::{Change, ClientId, ConversationId, Emoji, MessageText, Seq};
use uuid::Uuid;

use crate::device::{Device, Input};
use crate::invocation::{Patience, invoke};
use crate::members;
use crate::plan::{Flavour, Plan};
use crate::trouble;
use crate::world::{World, lock, sleep_ms};

/// Does one thing after the other until the time is over.
pub async fn live(world: &Arc<World>) {
    let Plan { chaos_ms, pause_ms, trouble, flavour, .. } = world.plan;
    let end = world.now_ms() + chaos_ms;
    if flavour == Flavour::LongOutage {
        tokio::spawn(trouble::ten_minutes_without_database(Arc::clone(world)));
    }
    while world.now_ms() < end && !world.book.is_violated() {
        sleep_ms(world.chance.between(10, pause_ms)).await;
        if world.chance.roll(trouble) {
            trouble::cause(world);
        } else {
            act(world).await;
        }
    }
}

async fn act(world: &Arc<World>) {
    let Some(device) = world.chance.pick(world.devices()).cloned() else { return };
    match world.chance.below(100) {
        0..55 => post(world, &device).await,
        55..69 => read(world, &device),
        69..83 => change(world, &device),
        83..95 => members::change_some(world),
        95..97 => members::hide_some(world, &device),
        _ => watch(world, &device),
    }
}

/// A conversation that the device shows.
fn some_conversation(world: &World, device: &Device) -> Option<Uuid> {
    let core = lock(&device.core);
    let ids: Vec<Uuid> = core.conversations().map(|(id, _)| id).collect();
    world.chance.pick(&ids).copied()
}

async fn post(world: &Arc<World>, device: &Arc<Device>) {
    let Some(conversation) = some_conversation(world, device) else { return };
    let count = match world.chance.below(10) {
        0..5 => 1,
        5..9 => world.chance.between(2, 5),
        _ => world.chance.between(6, 24),
    };
    for _ in 0..count {
        let client_id = world.chance.uuid();
        mark(world, ClientId(client_id));
        let text = format!("{} says {}", device.name, world.chance.below(1_000));
        world.book.write(|r| {
            let key = (device.index, ConversationId(conversation));
            r.posted.entry(key).or_default().push(ClientId(client_id));
        });
        device.tell(Input::Post { conversation, client_id, text });
        if world.chance.roll(500) {
            sleep_ms(world.chance.between(1, 200)).await;
        }
    }
}

/// Few messages are poisoned, deadly, or of a content that no database takes.
fn mark(world: &Arc<World>, client_id: ClientId) {
    let is_poison = world.plan.flavour == Flavour::Poison;
    let rate = if is_poison { 30 } else { 6 };
    if world.is_calm() && !is_poison {
        return;
    }
    let kind = world.chance.below(1_000);
    if kind >= 2 * rate {
        return;
    }
    world.book.write(|r| r.bad.insert(client_id));
    if kind < rate {
        world.count("poison", "post");
        lock(&world.poisoned).push(client_id);
        world.history.poison(client_id);
    } else if kind.is_multiple_of(2) {
        world.count("deadly", "post");
        lock(&world.deadly).push(client_id);
        tokio::spawn(repaired(Arc::clone(world), client_id));
    } else {
        world.count("unstorable", "post");
        world.history.make_unstorable(client_id);
    }
}

/// What kills the worker is rolled back within minutes. Until then devices send again what waits
/// behind it, every half minute, and a lane of two hours of that takes another hour to empty.
async fn repaired(world: Arc<World>, client_id: ClientId) {
    sleep_ms(world.chance.between(20_000, 300_000)).await;
    lock(&world.deadly).retain(|other| *other != client_id);
}

fn read(world: &World, device: &Device) {
    let Some(conversation) = some_conversation(world, device) else { return };
    let seq = lock(&device.core).cursor(conversation);
    device.tell(Input::Read { conversation, seq });
}

fn watch(world: &World, device: &Device) {
    let others = world.devices().iter().filter(|other| other.user() != device.user());
    let users = others.map(|other| other.user().0).take(10).collect();
    device.tell(Input::Watch(users));
}

/// Edits, deletes, reacts or pins over HTTP.
fn change(world: &Arc<World>, device: &Arc<Device>) {
    let Some(conversation) = some_conversation(world, device) else { return };
    let seqs: Vec<i64> = {
        let core = lock(&device.core);
        let own = world.chance.roll(600);
        let shown = core.transcript(conversation).iter().rev().take(10);
        let shown = shown.filter(|m| !own || m.sender_id == device.user().0);
        shown.map(|message| message.seq).collect()
    };
    let Some(seq) = world.chance.pick(&seqs).copied() else { return };
    let Some(wish) = some_change(world) else { return };
    if !device.has_network() {
        return;
    }
    let (caller, id) = (device.caller, ConversationId(conversation));
    let world = Arc::clone(world);
    tokio::spawn(async move {
        invoke(&world, "change-message", Patience::Request, |ports| async move {
            // A refusal is an answer too.
            let _ = ports.revisions().change(caller, id, Seq(seq), wish).await;
        })
        .await;
    });
}

fn some_change(world: &World) -> Option<Change> {
    let emoji = || Emoji::parse(world.chance.pick(&["👍", "🎉", "❤️"])?).ok();
    let text = || MessageText::parse(&format!("edited {}", world.chance.below(1_000))).ok();
    match world.chance.below(10) {
        0..4 => Change::edit(text()?, vec![]).ok(),
        4 => Some(Change::Delete),
        5..8 => Some(Change::React(emoji()?)),
        8 => Some(Change::Unreact(emoji()?)),
        _ => Some(Change::Pin),
    }
}
