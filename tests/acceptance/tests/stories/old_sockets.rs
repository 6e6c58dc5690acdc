//! No socket lives for ever: it makes way before API Gateway ends it after two hours.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client::core::Event;
use harness::faults::Faults;
use harness::{Client, Device, Heard, Options, Socket, State, System, eventually, now_unix_ms};
use protocol::frame::{Bye, Said};
use serde_json::json;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::emulator::{Table, number};
use crate::people::{assert_exactly_once, people_on};

/// Of these apps: far below the accelerated limit of idle sockets.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Between two messages of one device.
const PAUSE: Duration = Duration::from_millis(250);
/// Enough for what was said last.
const SETTLING: Duration = Duration::from_secs(60);
/// After it, whoever was gone for too long has been announced.
const PAST_THE_GRACE: Duration = Duration::from_secs(17);

/// Two people whose hearts beat quickly, and a third who sees whether they are there.
struct Talk {
    system: System,
    clients: [Client; 3],
    group: Uuid,
    devices: Vec<Device>,
    seen: Arc<Mutex<Seen>>,
    watcher: AbortHandle,
}

/// What the third was told.
#[derive(Default)]
struct Seen {
    watches: usize,
    told: BTreeSet<(Uuid, String)>,
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl Talk {
    async fn on(options: Options) -> Self {
        let system = System::start(options.with_faults()).await.unwrap();
        let clients = people_on(&system.api().unwrap(), ["ada", "bob", "cleo"]).await;
        let [ada, bob, cleo] = &clients;
        let group = ada.open_group("For hours", &[bob.id(), cleo.id()]).await.unwrap().id;
        let mut devices = Vec::new();
        for (seed, client) in [(1, ada), (2, bob)] {
            devices.push(Device::start_with(client, &[group], seed, HEARTBEAT).await.unwrap());
        }
        let seen = Arc::default();
        let users = [ada.id(), bob.id()];
        let watcher = tokio::spawn(watch(cleo.clone(), users, Arc::clone(&seen))).abort_handle();
        let talk = Self { system, clients, group, devices, seen, watcher };
        let watches = || async { (talk.look(|seen| seen.watches) > 0).then_some(()) };
        eventually("somebody watches", SETTLING, watches).await.unwrap();
        talk
    }

    fn look<T>(&self, look: impl Fn(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Both talk for so long at least, and until there were so many sockets, the watcher's among
    /// them.
    async fn talk(&self, duration: Duration, sockets_at_least: usize) {
        let faults = Faults::of(&self.system).unwrap();
        let mut sockets = BTreeSet::new();
        let until = Instant::now() + duration;
        let mut number = 0;
        while Instant::now() < until || sockets.len() < sockets_at_least {
            assert!(Instant::now() < until + SETTLING, "only {} sockets", sockets.len());
            for device in &self.devices {
                device.post(self.group, &format!("number {number}"));
            }
            number += 1;
            sockets.extend(faults.connections().await.unwrap());
            sleep(PAUSE).await;
        }
    }

    /// Everything that was said is in the database once, and on both screens once. Answers what
    /// the apps told whoever renders.
    async fn assert_nothing_missed_or_doubled(&self) -> Vec<Event> {
        let group = self.group;
        for device in &self.devices {
            let is_settled = |state: &State| state.unsettled() == 0;
            device.until("the end of every message", SETTLING, is_settled).await.unwrap();
        }
        let last_seq = self.clients[0].conversation(group).await.unwrap().last_seq;
        let history = self.clients[0].history(group).await.unwrap();
        assert_exactly_once(&history);
        let database = self.system.database().connect().await.unwrap();
        let rows = "SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq";
        let rows = database.query(rows, &[&group]).await.unwrap();
        let stored: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(stored, (1..=last_seq).collect::<Vec<_>>());
        let mut all = Vec::new();
        for device in &self.devices {
            let has_all = |state: &State| state.cursor(group) == last_seq;
            device.until("the whole history", SETTLING, has_all).await.unwrap();
            assert_eq!(device.transcript(group), history);
            let events = device.app().tell(|state, _| state.take_events());
            let shown = events.iter().filter(|event| matches!(event, Event::Shown { .. }));
            assert_eq!(shown.count(), history.len(), "a message was rendered twice, or not");
            all.extend(events);
        }
        all
    }

    /// Nobody was told that one of them had gone.
    async fn assert_nobody_noticed(&self) {
        sleep(PAST_THE_GRACE).await;
        let gone = self.look(|seen| {
            let gone = seen.told.iter().filter(|(_, status)| status != "online");
            gone.cloned().collect::<Vec<_>>()
        });
        assert_eq!(gone, [], "somebody was seen to go");
        // Who watches still sees what there is to see.
        self.devices[0].set_presence("dnd");
        let dnd = (self.clients[0].id(), "dnd".to_owned());
        let is_seen = || async { self.look(|seen| seen.told.contains(&dnd)).then_some(()) };
        eventually("she is not to be disturbed", SETTLING, is_seen).await.unwrap();
    }
}

/// Watches these people over one socket after the other, and keeps every status that is pushed.
async fn watch(client: Client, users: [Uuid; 2], seen: Arc<Mutex<Seen>>) {
    loop {
        let mut socket = client.socket().await.unwrap();
        socket.say_frame("presence.watch", json!({ "user_ids": users })).await.unwrap();
        loop {
            match socket.hear(Instant::now() + HEARTBEAT).await {
                Ok(Heard::Frame(frame)) => {
                    if let Said::PresenceChanged(told) = frame.said {
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                        if frame.in_reply_to.is_some() {
                            // How it is at this moment, between two sockets too.
                            seen.watches += 1;
                        } else {
                            let told = told.users.into_iter().map(|u| (u.user_id, u.status));
                            seen.told.extend(told);
                        }
                    }
                }
                // A watch that failed is said again, on another socket.
                Ok(Heard::Closed(_) | Heard::Gateway(_)) => break,
                Ok(other) => panic!("{other:?}"),
                Err(_) => {
                    let data = json!({ "cursors": [] });
                    if socket.say_frame("heartbeat", data).await.is_err() {
                        break;
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn an_old_socket_is_asked_to_make_way_at_different_times() {
    let options = Options::without_rate_limit().with("ByeAfterSeconds", "105").with_faults();
    let system = System::start(options).await.unwrap();
    let [ada] = people_on(&system.api().unwrap(), ["ada"]).await;
    let mut socket = ada.socket().await.unwrap();
    // Answered without a bye; what it is old by stands in the table.
    beat(&mut socket).await;
    let connections = Faults::of(&system).unwrap().connections().await.unwrap();
    let [connection] = &connections[..] else { panic!("{connections:?}") };
    let since = number(now_unix_ms() - 200_000);
    Table::of(&system).set(&format!("C#{connection}"), "C", "since", since).await;
    let mut waits = BTreeSet::new();
    for _ in 0..8 {
        beat(&mut socket).await;
        let bye = told_bye(&mut socket).await;
        assert_eq!(bye.reason, "socket_is_old");
        assert!(bye.reconnect_after_ms < 1_000, "{bye:?}");
        waits.insert(bye.reconnect_after_ms);
    }
    assert!(waits.len() > 1, "all would come back at once: {waits:?}");
}

async fn beat(socket: &mut Socket) {
    let frame = socket.say_frame("heartbeat", json!({ "cursors": [] })).await.unwrap();
    let answer = socket.answer_to(frame).await.unwrap();
    assert!(matches!(answer, Said::HeartbeatOk(_)), "{answer:?}");
}

async fn told_bye(socket: &mut Socket) -> Bye {
    let told = socket.wait_for("bye", |heard| match heard {
        Heard::Frame(frame) => match &frame.said {
            Said::Bye(bye) => Some(bye.clone()),
            _ => None,
        },
        _ => None,
    });
    told.await.unwrap()
}

#[tokio::test]
async fn who_makes_way_opens_the_next_socket_first_and_nobody_sees_them_go() {
    let options = Options::without_rate_limit().with("ByeAfterSeconds", "1");
    let talk = Talk::on(options).await;
    // Each makes way after a second.
    talk.talk(Duration::from_secs(5), 9).await;
    let events = talk.assert_nothing_missed_or_doubled().await;
    assert!(!events.contains(&Event::Offline), "there was a time without a socket");
    talk.assert_nobody_noticed().await;
}

/// Two hours in 40 seconds; an idle socket ends after three.
const CLOCK_RATE: u32 = 180;
const TWO_HOURS: Duration = Duration::from_secs(40);

async fn cross_the_two_hours(is_bye_lost: bool) {
    let options = Options::without_rate_limit().with("ByeAfterSeconds", "12");
    let talk = Talk::on(options.with_clock_rate(CLOCK_RATE)).await;
    let faults = Faults::of(&talk.system).unwrap();
    if is_bye_lost {
        faults.add(&json!({ "fault": "push.drop", "frame_type": "bye" })).await.unwrap();
    }
    // Three at first, and one more for each.
    talk.talk(TWO_HOURS + TWO_HOURS / 8, 6).await;
    if is_bye_lost {
        assert!(faults.fired().await.unwrap() > 0, "no bye was lost");
    }
    talk.assert_nothing_missed_or_doubled().await;
    talk.assert_nobody_noticed().await;
}

#[tokio::test]
async fn reconnects_over_the_two_hour_limit_miss_nothing_and_double_nothing() {
    cross_the_two_hours(false).await;
}

#[tokio::test]
async fn sockets_cut_at_the_two_hour_limit_because_every_bye_was_lost_miss_nothing() {
    cross_the_two_hours(true).await;
}
