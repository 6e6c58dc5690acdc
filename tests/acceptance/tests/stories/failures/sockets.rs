//! Sockets that are gone, late, deaf or out of order.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Options, State, eventually, now_unix_ms};
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use super::{HEALING, Stage};
use crate::calls::presence_of;
use crate::emulator::{Table, number, text};
use crate::people::texts;

/// A user's entry of a socket that nobody has heard from for so long.
fn silent(session: Uuid, seconds: i64) -> AttributeValue {
    let then = number(now_unix_ms() - seconds * 1_000);
    let parts = [("session", text(session)), ("since", then.clone()), ("seen", then)];
    AttributeValue::M(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Older than a socket that is just opening, and not yet taken for gone.
const A_MINUTE: i64 = 60;
/// Longer than a lease.
const AN_HOUR: i64 = 3_600;

async fn until_forgotten(table: &Table, item: &str, connection: &str) {
    let name = format!("c#{connection}");
    let is_gone = || async { (!table.has_attribute(item, "LIVE", &name).await).then_some(()) };
    eventually("the dead socket is forgotten", HEALING, is_gone).await.unwrap();
}

#[tokio::test]
async fn stale_connection_row() {
    let stage = Stage::set().await;
    let (socket, id) = stage.socket_of(&stage.bob).await;
    stage.let_loose(json!({ "fault": "disconnect.skip", "connection_id": id })).await;
    drop(socket);
    let is_closed =
        || async { (!stage.faults.connections().await.unwrap().contains(&id)).then_some(()) };
    eventually("the socket is closed", HEALING, is_closed).await.unwrap();
    let (table, item) = (Table::of(&stage.system), format!("U#{}", stage.bob.id()));
    let name = format!("c#{id}");
    assert!(table.has_attribute(&item, "LIVE", &name).await, "the row is not stale");
    table.set(&item, "LIVE", &name, silent(stage.bob.session_id, A_MINUTE)).await;
    stage.talk(2);
    until_forgotten(&table, &item, &id).await;
    assert_eq!(table.connections(&item).await, 2, "a living socket was forgotten with it");
    stage.talk(1);
    stage.assert_whole().await;
}

#[tokio::test]
async fn new_connect_before_the_old_disconnect() {
    let stage = Stage::set().await;
    let (old, id) = stage.socket_of(&stage.bob).await;
    let late = json!({ "fault": "disconnect.delay", "ms": 4_000, "connection_id": id });
    stage.let_loose(late).await;
    drop(old);
    let (mut new, new_id) = stage.socket_of(&stage.bob).await;
    let (table, item) = (Table::of(&stage.system), format!("U#{}", stage.bob.id()));
    until_forgotten(&table, &item, &id).await;
    let name = format!("c#{new_id}");
    assert!(table.has_attribute(&item, "LIVE", &name).await, "the late one took the new one along");
    stage.post(0, "are you back?");
    let push = new.pushed(stage.room).await.unwrap();
    assert_eq!(texts(&push.messages), ["are you back?"]);
    // The same to an app that comes back by itself.
    stage.let_loose(json!({ "fault": "disconnect.delay", "ms": 2_000 })).await;
    for round in 0..3 {
        stage.devices[1].cut_socket();
        stage.post(0, &format!("round {round}"));
        stage.talk(1);
    }
    stage.assert_whole().await;
}

#[tokio::test]
async fn disconnect_never_sent() {
    let stage = Stage::set().await;
    let connections = stage.faults.connections().await.unwrap();
    let [_, phone, tablet] = &connections[..] else { panic!("{connections:?}") };
    stage.let_loose(json!({ "fault": "disconnect.skip" })).await;
    stage.devices[1].go_offline();
    stage.devices[2].go_offline();
    let alone = || async { (stage.faults.connections().await.unwrap().len() == 1).then_some(()) };
    eventually("Bob's sockets are closed", HEALING, alone).await.unwrap();
    stage.until_stored(stage.post(0, "is anybody there?")).await;
    // Nobody says that he is gone, until nobody has heard from him for too long.
    let (table, item) = (Table::of(&stage.system), format!("U#{}", stage.bob.id()));
    assert_eq!(table.connections(&item).await, 2);
    assert_eq!(presence_of(&stage.ada, stage.bob.id()).await.status, "online");
    for id in [phone, tablet] {
        let entry = silent(stage.bob.session_id, AN_HOUR);
        table.set(&item, "LIVE", &format!("c#{id}"), entry).await;
    }
    assert_eq!(presence_of(&stage.ada, stage.bob.id()).await.status, "offline");
    stage.post(0, "nobody?");
    stage.faults.heal().await.unwrap();
    stage.devices[1].go_online();
    stage.devices[2].go_online();
    stage.talk(2);
    stage.assert_whole().await;
    assert_eq!(presence_of(&stage.ada, stage.bob.id()).await.status, "online");
}

#[tokio::test]
async fn two_frames_of_one_socket_handled_concurrently_and_swapped() {
    let stage = Stage::set().await;
    let direct = stage.ada.open_direct(stage.bob.id()).await.unwrap().id;
    let swap = json!({ "fault": "frame.swap", "frame_type": "message.send", "times": 12 });
    let swap = stage.let_loose(swap).await;
    let mut round = 0;
    let is_swapped = async {
        while stage.fired(swap).await < 6 {
            for device in 0..3 {
                stage.post(device, &format!("round {round}"));
                stage.post_in(device, direct, &format!("round {round}, between us"));
            }
            round += 1;
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(HEALING, is_swapped).await.unwrap();
    stage.assert_whole().await;
}

#[tokio::test]
async fn push_answered_200_and_lost() {
    let stage = Stage::set().await;
    let lost = json!({ "fault": "push.drop", "frame_type": "message.new", "times": 9 });
    let lost = stage.let_loose(lost).await;
    // Nothing comes after it: only a heartbeat can find it.
    stage.post(0, "into the void");
    stage.until_fired(lost, 3).await;
    for device in &stage.devices {
        let is_found = |state: &State| state.cursor(stage.room) == 2;
        device.until("what was lost", HEALING, is_found).await.unwrap();
    }
    stage.talk(4);
    stage.until_fired(lost, 9).await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn pushes_swapped() {
    let stage = Stage::set().await;
    let swap = stage.let_loose(json!({ "fault": "push.swap", "times": 20 })).await;
    for _ in 0..10 {
        stage.talk(1);
        sleep(Duration::from_millis(100)).await;
    }
    stage.until_fired(swap, 5).await;
    stage.assert_whole().await;
}

#[tokio::test]
async fn too_many_posts_429_from_the_management_api() {
    let stage = Stage::set().await;
    let busy = json!({ "fault": "push.status", "status": 429, "times": 20 });
    let busy = stage.let_loose(busy).await;
    stage.talk(4);
    stage.until_fired(busy, 20).await;
    stage.talk(1);
    stage.assert_whole().await;
}

/// Two hours in 15 seconds; an idle socket ends after little more than one.
const CLOCK_RATE: u32 = 480;

#[tokio::test]
async fn the_two_hour_cut() {
    let options = Options::without_rate_limit().with_clock_rate(CLOCK_RATE);
    let stage = Stage::on(options, Duration::from_millis(400)).await;
    let first = stage.faults.connections().await.unwrap();
    let is_cut = || async {
        stage.talk(1);
        sleep(Duration::from_millis(200)).await;
        let open = stage.faults.connections().await.unwrap();
        first.iter().all(|id| !open.contains(id)).then_some(())
    };
    eventually("every socket has met its end", HEALING, is_cut).await.unwrap();
    stage.talk(1);
    stage.assert_whole().await;
}
