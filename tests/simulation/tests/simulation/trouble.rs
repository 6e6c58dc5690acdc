//! What goes wrong on a larger scale than one step.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::device::{Device, Input};
use crate::members;
use crate::world::{World, sleep_ms};

/// Something, somewhere.
pub fn cause(world: &Arc<World>) {
    let world = Arc::clone(world);
    let Some(device) = world.chance.pick(world.devices()).cloned() else { return };
    match world.chance.below(100) {
        0..30 => cut_one(&world),
        30..50 => drop(tokio::spawn(out_of_reach(world, device))),
        50..58 => drop(tokio::spawn(switched_off(world, device))),
        58..70 => drop(tokio::spawn(database_away(world, 30_000))),
        70..78 => drop(tokio::spawn(table_away(world))),
        78..86 => drop(tokio::spawn(queues_away(world))),
        86..95 => members::leave_and_return(&world),
        _ => members::block_some(&world),
    }
}

fn cut_one(world: &Arc<World>) {
    let open = world.gateway.open_ids();
    if let Some(id) = world.chance.pick(&open) {
        world.gateway.cut(world, id);
    }
}

/// A tunnel: no way in or out, for seconds or minutes.
async fn out_of_reach(world: Arc<World>, device: Arc<Device>) {
    world.count("out of reach", "network");
    device.has_network.store(false, Ordering::Relaxed);
    if let Some((id, _)) = world.gateway.open_of(&device) {
        world.gateway.cut(&world, &id);
    }
    let most = if world.chance.roll(100) { 600_000 } else { 60_000 };
    sleep_ms(world.chance.between(500, most)).await;
    device.has_network.store(true, Ordering::Relaxed);
}

/// The app is closed, and opened again later.
async fn switched_off(world: Arc<World>, device: Arc<Device>) {
    world.count("switched off", "device");
    device.tell(Input::Offline);
    sleep_ms(world.chance.between(500, 40_000)).await;
    device.tell(Input::Online);
}

async fn database_away(world: Arc<World>, most_ms: u64) {
    world.count("database away", "postgres");
    world.history.set_down(true);
    sleep_ms(world.chance.between(500, most_ms)).await;
    world.history.set_down(false);
}

/// The design promises to survive ten minutes.
pub async fn ten_minutes_without_database(world: Arc<World>) {
    sleep_ms(world.chance.between(5_000, 40_000)).await;
    world.count("ten minutes without database", "postgres");
    let end = world.now_ms() + world.chance.between(600_000, 640_000);
    while world.now_ms() < end && !world.is_calm() {
        world.history.set_down(true);
        sleep_ms(1_000).await;
    }
    world.history.set_down(false);
}

async fn table_away(world: Arc<World>) {
    world.count("table throttled", "dynamodb");
    world.live.set_down(true);
    sleep_ms(world.chance.between(200, 5_000)).await;
    world.live.set_down(false);
}

async fn queues_away(world: Arc<World>) {
    world.count("queues away", "sqs");
    world.lane.set_down(true);
    sleep_ms(world.chance.between(200, 5_000)).await;
    world.lane.set_down(false);
}

/// Everything is well again and everybody is there.
pub fn heal(world: &Arc<World>) {
    world.set_calm(true);
    world.history.set_down(false);
    world.live.set_down(false);
    world.lane.set_down(false);
    crate::world::lock(&world.deadly).clear();
    for device in world.devices() {
        device.has_network.store(true, Ordering::Relaxed);
        device.tell(Input::Online);
    }
    world.say(|| "healed".to_owned());
}
