//! Who is there: several devices are one person, and only those who watch are told.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::faults::Faults;
use harness::{
    Client, Device, Heard, Options, Socket, State, System, WAIT, eventually, now_unix_ms, unique_id,
};
use protocol::frame::{PresenceChanged, Said};
use protocol::value::Presence;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::calls::{ask_with, heard_until, is_message, presence_of};
use crate::emulator::{Table, number, text};
use crate::people::{a_pair, draft, people, people_on};

/// The grace of 15 s, and a busy machine.
const UNTIL_OFFLINE: Duration = Duration::from_secs(60);
/// So long is waited for what is told; then a look has what was not announced announced.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);
/// The same for who went: the grace passes first.
const PAST_A_GOING: Duration = Duration::from_secs(30);
/// A watch lasts 90 s. It is renewed between two changes: a look cannot announce what is told.
const RENEWED_AFTER: Duration = Duration::from_secs(30);

/// What is announced as a courtesy, in half a second or not at all, may be lost now and then, and
/// a look shows it. Where every one of so many goes needed a look, nobody announces it.
const GOES_MOST: usize = 4;

/// Longer than the grace by what a worker takes: that nothing comes is only seen by waiting.
const PAST_THE_GRACE: Duration = Duration::from_secs(18);

async fn watch(socket: &mut Socket, users: &[Uuid]) -> Vec<Presence> {
    let frame = socket.say_frame("presence.watch", json!({ "user_ids": users })).await.unwrap();
    match socket.answer_to(frame).await.unwrap() {
        Said::PresenceChanged(PresenceChanged { users }) => users,
        other => panic!("{other:?}"),
    }
}

async fn set(socket: &mut Socket, status: &str) {
    socket.say_frame("presence.set", json!({ "status": status })).await.unwrap();
}

fn of_user(said: &Said, user: Uuid) -> Option<&Presence> {
    let Said::PresenceChanged(told) = said else { return None };
    told.users.iter().find(|seen| seen.user_id == user)
}

/// Somebody's socket that watches one person.
struct Watcher {
    socket: Socket,
    user: Uuid,
    /// Every status told so far.
    told: Vec<String>,
    /// Looks without which a change was not told in time.
    looks: usize,
    watching_since: Instant,
}

impl Watcher {
    /// It watches already, and saw this.
    fn seeing(mut socket: Socket, user: Uuid, status: &str) -> Self {
        socket.be_patient(UNTIL_OFFLINE);
        let told = vec![status.to_owned()];
        Self { socket, user, told, looks: 0, watching_since: Instant::now() }
    }

    async fn look(&mut self) {
        self.watching_since = Instant::now();
        watch(&mut self.socket, &[self.user]).await;
    }

    /// The next that is told of the person in so much time; answers to watches do not count.
    async fn next(&mut self, within: Duration) -> Option<Presence> {
        let user = self.user;
        self.socket.be_patient(within);
        let told = self.socket.wait_for("presence.changed", |heard| match heard {
            Heard::Frame(frame) if frame.in_reply_to.is_none() => {
                of_user(&frame.said, user).cloned()
            }
            _ => None,
        });
        let told = told.await.ok();
        self.socket.be_patient(UNTIL_OFFLINE);
        told
    }

    /// Waits until this is told. What was told before may come again meanwhile, as every push may;
    /// anything else is wrong. A change that could not be announced is announced at the next look,
    /// so there is another look in a while, and it is counted.
    async fn told(&mut self, status: &str) -> Presence {
        let until = Instant::now() + UNTIL_OFFLINE;
        let mut patience = if status == "offline" { PAST_A_GOING } else { BETWEEN_LOOKS };
        loop {
            match self.next(patience).await {
                Some(seen) if seen.status == status => {
                    self.told.push(seen.status.clone());
                    if self.watching_since.elapsed() > RENEWED_AFTER {
                        self.look().await;
                    }
                    return seen;
                }
                Some(Presence { status: other, .. }) => {
                    assert!(self.told.contains(&other), "{other}, not {status}: {:?}", self.told);
                }
                None => {
                    assert!(Instant::now() < until, "not {status}, only {:?}", self.told);
                    self.looks += 1;
                    self.look().await;
                    patience = BETWEEN_LOOKS;
                }
            }
        }
    }
}

/// A watcher, and the other one of a pair who is not there yet.
async fn a_watcher() -> (Client, Client, Uuid, Watcher) {
    let (ada, bob, conversation) = a_pair().await;
    let mut his = bob.socket().await.unwrap();
    his.be_patient(UNTIL_OFFLINE);
    let seen = watch(&mut his, &[ada.id()]).await;
    assert_eq!((seen[0].status.as_str(), &seen[0].last_seen_at), ("offline", &None));
    let his = Watcher { told: vec![], ..Watcher::seeing(his, ada.id(), "offline") };
    (ada, bob, conversation, his)
}

/// A second device comes, is busy and goes, beside one that is away meanwhile.
async fn a_tablet_comes_and_goes(ada: &Client, phone: &mut Socket, his: &mut Watcher) {
    set(phone, "away").await;
    his.told("away").await;
    let mut tablet = ada.another_device().await.unwrap().socket().await.unwrap();
    his.told("online").await;
    set(&mut tablet, "dnd").await;
    his.told("dnd").await;
    tablet.close().await.unwrap();
    his.told("away").await;
    set(phone, "online").await;
    his.told("online").await;
}

#[tokio::test]
async fn several_devices_are_one_person() {
    let (ada, bob, _, mut his) = a_watcher().await;
    let mut phone = ada.socket().await.unwrap();
    his.told("online").await;
    let mut looks_each_go = Vec::new();
    while !looks_each_go.contains(&0) {
        assert!(looks_each_go.len() < GOES_MOST, "changes are not told: {looks_each_go:?} looks");
        let looks = his.looks;
        a_tablet_comes_and_goes(&ada, &mut phone, &mut his).await;
        looks_each_go.push(his.looks - looks);
    }
    // The last of it may have been said before: how it is now is asked as well.
    let is_online =
        || async { (presence_of(&bob, ada.id()).await.status == "online").then_some(()) };
    eventually("she is online", WAIT, is_online).await.unwrap();
}

#[tokio::test]
async fn who_is_invisible_looks_offline_and_leaves_no_trace_of_their_coming() {
    let (ada, bob, conversation, mut his) = a_watcher().await;
    let mut hers = ada.socket().await.unwrap();
    his.told("online").await;
    set(&mut hers, "invisible").await;
    let gone = his.told("offline").await;
    // A heartbeat moves nothing that others see.
    let beat = hers.say_frame("heartbeat", json!({ "cursors": [] })).await.unwrap();
    hers.answer_to(beat).await.unwrap();
    assert_eq!(presence_of(&bob, ada.id()).await, gone);
    // She hears and speaks as before.
    bob.send(conversation, &draft("are you there?")).await.unwrap();
    hers.pushed(conversation).await.unwrap();
    hers.close().await.unwrap();
    let table = Table::of(System::shared().await.unwrap());
    let item = format!("U#{}", ada.id());
    let is_gone = || async { (table.connections(&item).await == 0).then_some(()) };
    eventually("her socket is forgotten", WAIT, is_gone).await.unwrap();
    assert_eq!(presence_of(&bob, ada.id()).await, gone);
}

#[tokio::test]
async fn a_reconnect_within_the_grace_is_seen_by_nobody() {
    let (ada, _, _, mut his) = a_watcher().await;
    let first = ada.socket().await.unwrap();
    his.told("online").await;
    drop(first);
    let table = Table::of(System::shared().await.unwrap());
    let item = format!("U#{}", ada.id());
    let is_gone = || async { (table.connections(&item).await == 0).then_some(()) };
    eventually("her socket is forgotten", WAIT, is_gone).await.unwrap();
    let mut second = ada.socket().await.unwrap();
    tokio::time::sleep(PAST_THE_GRACE).await;
    // A watch does not last for ever.
    watch(&mut his.socket, &[ada.id()]).await;
    set(&mut second, "dnd").await;
    // "offline" was not told before, so it would be wrong in between.
    his.told("dnd").await;
}

#[tokio::test]
async fn who_goes_is_offline_after_the_grace_and_was_last_seen_then() {
    let (ada, bob, _, mut his) = a_watcher().await;
    let mut looks_each_go = Vec::new();
    let gone = loop {
        assert!(looks_each_go.len() < GOES_MOST, "nobody is told: {looks_each_go:?} looks");
        let looks = his.looks;
        let mut hers = ada.socket().await.unwrap();
        his.told("online").await;
        hers.close().await.unwrap();
        let gone = his.told("offline").await;
        looks_each_go.push(his.looks - looks);
        if his.looks == looks {
            break gone;
        }
        tokio::time::sleep(PAST_THE_GRACE).await; // What a look had queued must not help.
    };
    assert!(gone.last_seen_at.is_some());
    assert_eq!(presence_of(&bob, ada.id()).await, gone);
    // And may come back.
    let _again = ada.socket().await.unwrap();
    his.told("online").await;
    assert_eq!(presence_of(&bob, ada.id()).await.status, "online");
}

#[tokio::test]
async fn who_does_not_share_it_was_never_last_seen() {
    let (ada, bob, _, mut his) = a_watcher().await;
    let settings = json!({ "settings": { "share_receipts": true, "share_last_seen": false } });
    let answer = ask_with(&ada, Method::PATCH, "/v1/users/me", &settings).await;
    answer.expect_status(200).unwrap();
    watch(&mut his.socket, &[ada.id()]).await;
    let mut hers = ada.socket().await.unwrap();
    assert_eq!(his.told("online").await.last_seen_at, None);
    set(&mut hers, "invisible").await;
    assert_eq!(his.told("offline").await.last_seen_at, None);
    assert_eq!(presence_of(&bob, ada.id()).await.last_seen_at, None);
}

#[tokio::test]
async fn strangers_and_people_with_a_block_between_look_offline() {
    let (ada, bob, _) = a_pair().await;
    let [eve, cleo] = people(["eve", "cleo"]).await;
    ada.open_direct(cleo.id()).await.unwrap();
    let mut sockets = Vec::new();
    for client in [&ada, &bob, &eve, &cleo] {
        sockets.push(client.socket().await.unwrap());
    }
    let nobody = |user| Presence { user_id: user, status: "offline".into(), last_seen_at: None };
    let seen = watch(&mut sockets[2], &[ada.id(), bob.id(), unique_id(), eve.id()]).await;
    let statuses: Vec<_> = seen.iter().map(|seen| seen.status.as_str()).collect();
    assert_eq!(statuses, ["offline", "offline", "offline", "online"]);
    assert_eq!(presence_of(&eve, ada.id()).await, nobody(ada.id()));
    assert_eq!(presence_of(&ada, bob.id()).await.status, "online");

    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let block = "INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES ($1, $2, now())";
    database.execute(block, &[&ada.id(), &bob.id()]).await.unwrap();
    for (client, other) in [(&ada, &bob), (&bob, &ada)] {
        assert_eq!(presence_of(client, other.id()).await, nobody(other.id()));
    }
    assert_eq!(watch(&mut sockets[1], &[ada.id()]).await, [nobody(ada.id())]);
    // A friend is told, and they are not.
    let mut cleos = sockets.pop().unwrap();
    watch(&mut cleos, &[ada.id()]).await;
    set(&mut sockets[0], "away").await;
    Watcher::seeing(cleos, ada.id(), "online").told("away").await;
    for socket in &mut sockets[1..] {
        socket.say_frame("heartbeat", json!({ "cursors": [] })).await.unwrap();
        let heard = heard_until(socket, |said| matches!(said, Said::HeartbeatOk(_))).await;
        assert!(heard.iter().all(|said| of_user(said, ada.id()).is_none()), "{heard:?}");
    }
}

/// As `$connect` leaves it in the user's item, with a lease that is over.
fn long_gone(session: Uuid) -> AttributeValue {
    let seen = now_unix_ms() - 600_000;
    let times = [("since", number(seen)), ("seen", number(seen))];
    let names = [("session", text(session)), ("status", text("online"))];
    let all = times.into_iter().chain(names);
    AttributeValue::M(all.map(|(name, value)| (name.to_owned(), value)).collect::<HashMap<_, _>>())
}

#[tokio::test]
async fn a_disconnect_that_never_came_shows_at_the_next_watch_when_the_lease_is_over() {
    let system = System::start(Options::without_rate_limit().with_faults()).await.unwrap();
    let faults = Faults::of(&system).unwrap();
    let [ada, bob, cleo] = people_on(&system.api().unwrap(), ["ada", "bob", "cleo"]).await;
    ada.open_group("Watching", &[bob.id(), cleo.id()]).await.unwrap();
    let hers = ada.socket().await.unwrap();
    let connections = faults.connections().await.unwrap();
    let [connection] = &connections[..] else { panic!("{connections:?}") };
    let (mut his, mut cleos) = (bob.socket().await.unwrap(), cleo.socket().await.unwrap());
    for socket in [&mut his, &mut cleos] {
        socket.be_patient(UNTIL_OFFLINE);
        assert_eq!(watch(socket, &[ada.id()]).await[0].status, "online");
    }
    let skip = json!({ "fault": "disconnect.skip", "connection_id": connection });
    faults.add(&skip).await.unwrap();
    drop(hers);
    let is_cut = || async { (faults.fired().await.unwrap() == 1).then_some(()) };
    eventually("the disconnect gets lost", WAIT, is_cut).await.unwrap();
    assert_eq!(presence_of(&bob, ada.id()).await.status, "online", "the lease is not over");

    let (item, entry) = (format!("U#{}", ada.id()), format!("c#{connection}"));
    Table::of(&system).set(&item, "LIVE", &entry, long_gone(ada.session_id)).await;
    assert_eq!(presence_of(&bob, ada.id()).await.status, "offline");
    assert_eq!(watch(&mut his, &[ada.id()]).await[0].status, "offline");
    // His looking has told the others who watch, this time or the next.
    let mut cleos = Watcher::seeing(cleos, ada.id(), "online");
    let until = Instant::now() + UNTIL_OFFLINE;
    while cleos.next(BETWEEN_LOOKS).await.is_none_or(|seen| seen.status != "offline") {
        assert!(Instant::now() < until, "his looking told nobody");
        watch(&mut his, &[ada.id()]).await;
    }
}

#[tokio::test]
async fn an_app_shows_who_is_there_and_asks_again_on_its_next_socket() {
    let (ada, bob, _) = a_pair().await;
    let his = Device::start(&bob, &[]).await.unwrap();
    his.watch(&[ada.id()]);
    let shows = |status: &'static str| {
        let user = ada.id();
        move |state: &State| state.presence(user).is_some_and(|seen| seen.status == status)
    };
    his.until("that she is away", WAIT, shows("offline")).await.unwrap();
    let hers = Device::start(&ada, &[]).await.unwrap();
    // Whose coming could not be announced is seen at the next look.
    if his.until("that she is there", WAIT / 2, shows("online")).await.is_err() {
        his.watch(&[]);
        his.watch(&[ada.id()]);
        his.until("that she is there", WAIT, shows("online")).await.unwrap();
    }
    his.cut_socket();
    his.until("that she is there still", WAIT, shows("online")).await.unwrap();
    hers.set_presence("dnd");
    his.until("that she is busy", WAIT, shows("dnd")).await.unwrap();
    // Her own wish holds on her next socket too.
    hers.cut_socket();
    let is_dnd = || async { (presence_of(&bob, ada.id()).await.status == "dnd").then_some(()) };
    eventually("she is busy again", WAIT, is_dnd).await.unwrap();
}

/// A named mistake of others.
#[tokio::test]
async fn user_online_frames_from_a_client_re_broadcast_to_everybody() {
    let (ada, bob, conversation, mut his) = a_watcher().await;
    let [eve] = people(["eve"]).await;
    let mut evil = eve.socket().await.unwrap();
    let users = json!([{ "user_id": ada.id(), "status": "online", "last_seen_at": null }]);
    for frame_type in ["user_online", "presence.changed", "online"] {
        let data = json!({ "users": users, "user_id": ada.id() });
        let frame = evil.say_frame(frame_type, data).await.unwrap();
        assert_eq!(evil.refused(frame).await.unwrap().code, "unknown_frame");
    }
    // Nor does somebody else's id in one's own status change anybody but oneself.
    let data = json!({ "status": "dnd", "user_id": ada.id(), "users": users });
    evil.say_frame("presence.set", data).await.unwrap();
    let is_dnd = || async { (presence_of(&eve, eve.id()).await.status == "dnd").then_some(()) };
    eventually("eve is not to be disturbed", WAIT, is_dnd).await.unwrap();
    ada.send(conversation, &draft("I am not here")).await.unwrap();
    let heard = heard_until(&mut his.socket, |said| is_message(said, "I am not here")).await;
    assert!(heard.iter().all(|said| !matches!(said, Said::PresenceChanged(_))), "{heard:?}");
    assert_eq!(presence_of(&bob, ada.id()).await.status, "offline");
}

#[tokio::test]
async fn hostile_watches_and_statuses_are_refused() {
    let (ada, bob, _) = a_pair().await;
    let mut hers = ada.socket().await.unwrap();
    let many: Vec<_> = (0..51).map(|_| unique_id()).collect();
    for (frame_type, data) in [
        ("presence.watch", Value::Null),
        ("presence.watch", json!({ "user_ids": [] })),
        ("presence.watch", json!({ "user_ids": many })),
        ("presence.watch", json!({ "user_ids": ["x"] })),
        ("presence.watch", json!({ "user_ids": "x" })),
        ("presence.set", json!({})),
        ("presence.set", json!({ "status": "offline" })),
        ("presence.set", json!({ "status": 1 })),
    ] {
        let frame = hers.say_frame(frame_type, data.clone()).await.unwrap();
        assert_eq!(hers.refused(frame).await.unwrap().code, "validation_failed", "{data}");
    }
    let ids: Vec<_> = many.iter().map(Uuid::to_string).collect();
    for query in ["", "user_ids=", "user_ids=x", &format!("user_ids={}", ids.join(","))] {
        let answer = ada.get(&format!("/v1/presence?{query}")).await.unwrap();
        answer.expect_problem(422, "validation_failed").unwrap();
    }
    let twice = format!("/v1/presence?user_ids={0},{0}", bob.id());
    let list: protocol::body::PresenceList = ada.get(&twice).await.unwrap().expect(200).unwrap();
    assert_eq!(list.items.len(), 1);
}
