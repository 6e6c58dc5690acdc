//! Many sockets: a thousand that are cut, and three hundred that hear one group.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use harness::faults::Faults;
use harness::{Client, Device, Heard, Options, Socket, State, System};
use protocol::frame::Said;
use serde_json::json;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::failures::{HEALING, Stage, never_give_up, set_visibility};
use crate::people::{draft, people_on};

/// Beside the three that the stage has.
const MORE_DEVICES: [usize; 3] = [3, 2, 4];
const CUTS: u64 = 1_000;

#[tokio::test]
async fn a_thousand_random_socket_kills_under_load_leave_every_client_equal_to_the_database() {
    let mut stage = Stage::set().await;
    let people = [stage.ada.clone(), stage.bob.clone(), stage.cleo.clone()];
    let mut seed = 10;
    for (person, count) in people.iter().zip(MORE_DEVICES) {
        for _ in 0..count {
            let session = person.another_device().await.unwrap();
            let heartbeat = Duration::from_secs(20);
            let room = [stage.room];
            seed += 1;
            let device = Device::start_with(&session, &room, seed, heartbeat).await.unwrap();
            stage.devices.push(device);
        }
    }
    let cuts = json!({
        "fault": "socket.cut", "every_ms": 100, "probability": 0.5, "times": CUTS, "seed": 7,
    });
    let cuts = stage.let_loose(cuts).await;
    let (until, mut number) = (Instant::now() + HEALING * 2, 0);
    while stage.fired(cuts).await < CUTS && Instant::now() < until {
        stage.post(number % stage.devices.len(), &format!("number {number}"));
        number += 1;
        sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(stage.fired(cuts).await, CUTS, "sockets do not come back quickly enough to be cut");
    assert!(number > 100, "only {number} messages were said meanwhile");
    stage.faults.heal().await.unwrap();
    stage.assert_whole().await;
}

const MEMBERS: usize = 1_000;
const PEOPLE_ONLINE: usize = 30;
/// The most that one person may have.
const SOCKETS_EACH: usize = 10;
const MESSAGES: usize = 20;

/// So many people who never sign in.
pub async fn silent_people(system: &System, count: usize) -> Vec<Uuid> {
    let database = system.database().connect().await.unwrap();
    let insert = "INSERT INTO users
            (id, username, email, display_name, password_hash, created_at)
        SELECT gen_random_uuid(), 'silent-' || n, 'silent-' || n || '@example.org', 'Silent',
            'nobody knows it', now()
        FROM generate_series(1, $1::bigint) AS n RETURNING id";
    let count = i64::try_from(count).unwrap();
    let rows = database.query(insert, &[&count]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// A group with sockets of those of its people who are online.
async fn a_great_group(system: &System) -> (Vec<Client>, Uuid, Vec<Socket>) {
    let api = system.api().unwrap();
    let online = people_on(&api, ["online"; PEOPLE_ONLINE]).await.to_vec();
    let mut others = silent_people(system, MEMBERS - PEOPLE_ONLINE).await;
    others.extend(online[1..].iter().map(Client::id));
    let group = online[0].open_group("Everybody", &others).await.unwrap();
    assert_eq!(group.member_count, u32::try_from(MEMBERS).unwrap());
    let mut sockets = Vec::new();
    for client in &online {
        let opened = join_all((0..SOCKETS_EACH).map(|_| client.socket())).await;
        sockets.extend(opened.into_iter().map(Result::unwrap));
    }
    (online, group.id, sockets)
}

/// The texts that a socket hears in this conversation, until it has them all.
async fn hear_all(socket: &mut Socket, group: Uuid) {
    let until = Instant::now() + HEALING;
    let mut missing: BTreeSet<String> = (0..MESSAGES).map(|n| format!("number {n}")).collect();
    while !missing.is_empty() {
        match socket.hear(until).await {
            Ok(Heard::Frame(frame)) => {
                let Said::MessageNew(new) = frame.said else { continue };
                let of_group = new.messages.iter().filter(|m| m.conversation_id == group);
                for text in of_group.filter_map(|message| message.text.as_ref()) {
                    missing.remove(text);
                }
            }
            other => panic!("{other:?}, and {missing:?} are missing"),
        }
    }
}

/// More than this are not sent to be heard.
const PUSHES_MOST: usize = 7;

/// Whether any message of the conversation is pushed to this socket: one that is there already, or
/// one of the next.
async fn hears_one(socket: &mut Socket, sender: &Client, conversation: Uuid) -> bool {
    for number in 0..PUSHES_MOST {
        if socket.pushed(conversation).await.is_ok() {
            return true;
        }
        sender.send(conversation, &draft(&format!("do you hear me, {number}"))).await.unwrap();
    }
    socket.pushed(conversation).await.is_ok()
}

#[tokio::test]
async fn a_group_of_1000_with_300_connections_gets_every_message_and_delays_no_other_lane() {
    let system = System::start(Options::without_rate_limit().with_faults()).await.unwrap();
    // It is stuck for as long as the two need to hear each other, and goes on after that.
    set_visibility(&system, "events-to-fan-out", 3).await;
    never_give_up(&system, "events-to-fan-out").await;
    let (online, group, mut sockets) = a_great_group(&system).await;
    let [dora, emil] = people_on(&system.api().unwrap(), ["dora", "emil"]).await;
    let direct = dora.open_direct(emil.id()).await.unwrap().id;
    // His heart beats often: a push that failed must not wait for the fan-out, which is stuck.
    let his = Device::start_with(&emil, &[direct], 1, Duration::from_secs(3)).await.unwrap();
    let mut listening = emil.socket().await.unwrap();

    // The great fan-out gets nowhere as long as the two have not heard each other.
    let faults = Faults::of(&system).unwrap();
    let stuck = json!({
        "fault": "function.kill", "function": "fan-out-events", "point": "before",
    });
    let stuck = faults.add(&stuck).await.unwrap();
    for number in 0..MESSAGES {
        let sender = &online[number % online.len()];
        sender.send(group, &draft(&format!("number {number}"))).await.unwrap();
    }
    for number in 0..3 {
        let text = format!("between us, {number}");
        dora.send(direct, &draft(&text)).await.unwrap();
        let has_it = |state: &State| {
            let last = state.transcript(direct).last();
            last.and_then(|message| message.text.as_ref()) == Some(&text)
        };
        his.until(&text, HEALING, has_it).await.unwrap();
    }
    // His app could have fetched them. Who only listens hears one as well: one push that is late
    // goes the way of the fan-out, but not each.
    assert!(
        hears_one(&mut listening, &dora, direct).await,
        "the direct messages wait for the group"
    );
    assert!(faults.fired().await.unwrap() > 0, "the group's fan-out was not held up");
    faults.remove(stuck).await.unwrap();
    join_all(sockets.iter_mut().map(|socket| hear_all(socket, group))).await;
    let history = online[0].history(group).await.unwrap();
    assert_eq!(history.len(), 1 + MESSAGES);
}
