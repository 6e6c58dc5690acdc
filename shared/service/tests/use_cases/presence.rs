//! Who is there, for those who may know.

use std::time::Duration;

use domain::{ConnectionId, Presence, Status, UserId, limits};
use service::port::{SettingsChange, UserChange};
use service::{Caller, Error, Event, PresenceView};
use testkit::world::World;
use uuid::Uuid;

use crate::steps::{after_seconds, announce, news};

/// What a socket is told of one person, after looking once.
struct Watch<'a> {
    world: &'a World,
    socket: ConnectionId,
    person: Caller,
    heard: usize,
}

impl<'a> Watch<'a> {
    async fn begin(world: &'a World, watcher: Caller, name: &str, person: Caller) -> Self {
        let socket = world.socket(watcher, name).await;
        announce(world).await;
        let mut watch = Self { world, socket, person, heard: 0 };
        watch.renew().await;
        watch.heard = world.pusher.heard_by(&watch.socket).len();
        watch
    }

    /// The snapshot.
    async fn renew(&self) -> Presence {
        let people = [self.person.user_id()];
        let watched = self.world.presence_watches().watch(&self.socket, &people).await;
        watched.unwrap()[0].presence
    }

    /// What was pushed since the last look.
    fn heard(&mut self) -> Vec<Presence> {
        let events = news(self.world, &self.socket, &mut self.heard);
        let of_users = |event| match event {
            Event::PresenceChanged { users } => users,
            other => panic!("{other:?}"),
        };
        events.into_iter().flat_map(of_users).map(|view| view.presence).collect()
    }
}

async fn people(world: &World) -> (Caller, Caller) {
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    world.group(ada, &[bob]).await;
    (ada, bob)
}

async fn look(world: &World, who: Caller, at: UserId) -> PresenceView {
    world.presences().of_people(who, &[at]).await.unwrap()[0]
}

#[tokio::test]
async fn a_person_of_several_devices_is_away_only_where_all_of_them_are() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let (phone, laptop) = (world.socket(ada, "phone").await, world.socket(ada, "laptop").await);
    let steps = [
        (&phone, Status::Away, Presence::Online),
        (&laptop, Status::Away, Presence::Away),
        (&phone, Status::Dnd, Presence::Dnd),
        (&laptop, Status::Online, Presence::Dnd),
        (&laptop, Status::Invisible, Presence::Offline),
        (&phone, Status::Online, Presence::Offline),
        (&laptop, Status::Online, Presence::Online),
    ];
    for (device, status, expected) in steps {
        world.presence_status().set(device, status).await.unwrap();
        assert_eq!(look(&world, bob, ada.user_id()).await.presence, expected, "{status:?}");
    }
}

#[tokio::test]
async fn a_status_is_told_to_who_watches_and_stays_through_heartbeats() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let phone = world.socket(ada, "phone").await;
    let mut watch = Watch::begin(&world, bob, "bob", ada).await;
    world.presence_status().set(&phone, Status::Dnd).await.unwrap();
    announce(&world).await;
    assert_eq!(watch.heard(), [Presence::Dnd]);
    world.presence_status().set(&phone, Status::Dnd).await.unwrap();
    world.heartbeats().beat(&phone, &[]).await.unwrap();
    announce(&world).await;
    assert!(watch.heard().is_empty(), "nothing new");
    assert_eq!(look(&world, bob, ada.user_id()).await.presence, Presence::Dnd);
}

#[tokio::test]
async fn who_turns_invisible_looks_offline_at_once_and_is_seen_no_more() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let phone = world.socket(ada, "phone").await;
    let mut watch = Watch::begin(&world, bob, "bob", ada).await;
    world.presence_status().set(&phone, Status::Invisible).await.unwrap();
    announce(&world).await;
    assert_eq!(watch.heard(), [Presence::Offline]);
    let before = look(&world, bob, ada.user_id()).await;
    world.clock.advance(limits::HEARTBEAT_INTERVAL);
    world.heartbeats().beat(&phone, &[]).await.unwrap();
    assert_eq!(look(&world, bob, ada.user_id()).await, before, "no sign of life");
    world.closings().disconnect(&phone).await.unwrap();
    assert_eq!(look(&world, bob, ada.user_id()).await, before);
}

#[tokio::test]
async fn strangers_and_people_with_a_block_between_look_like_nobody() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let stranger = world.person("eve").await;
    for (who, name) in [(ada, "ada"), (bob, "bob"), (stranger, "eve")] {
        world.socket(who, name).await;
    }
    announce(&world).await;
    let nobody = UserId(Uuid::from_u128(7));
    let unseen =
        |user_id| PresenceView { user_id, presence: Presence::Offline, last_seen_at: None };
    for id in [stranger.user_id(), nobody] {
        assert_eq!(look(&world, ada, id).await, unseen(id));
    }
    assert_eq!(look(&world, ada, bob.user_id()).await.presence, Presence::Online);
    world.history.block(bob.user_id(), ada.user_id());
    assert_eq!(look(&world, ada, bob.user_id()).await, unseen(bob.user_id()));
    assert_eq!(look(&world, bob, ada.user_id()).await, unseen(ada.user_id()));
}

#[tokio::test]
async fn a_watch_of_somebody_whom_one_may_not_see_hears_nothing() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let eve = world.person("eve").await;
    world.history.block(ada.user_id(), bob.user_id());
    let mut strangers =
        [Watch::begin(&world, eve, "eve", ada).await, Watch::begin(&world, bob, "bob", ada).await];
    world.socket(ada, "phone").await;
    announce(&world).await;
    for watch in &mut strangers {
        assert!(watch.heard().is_empty());
        assert_eq!(watch.renew().await, Presence::Offline);
    }
}

#[tokio::test]
async fn who_does_not_share_when_they_were_seen_has_no_last_seen() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let phone = world.socket(ada, "phone").await;
    world.closings().disconnect(&phone).await.unwrap();
    assert!(look(&world, bob, ada.user_id()).await.last_seen_at.is_some());
    let share_last_seen = Some(false);
    let settings = SettingsChange { share_last_seen, ..SettingsChange::default() };
    let change = UserChange { settings, ..UserChange::default() };
    world.profiles().update_me(ada, change).await.unwrap();
    assert_eq!(look(&world, bob, ada.user_id()).await.last_seen_at, None);

    let watcher = Watch::begin(&world, bob, "bob", ada).await;
    world.socket(ada, "tablet").await;
    announce(&world).await;
    let heard = world.pusher.heard_by(&watcher.socket);
    let Some(Event::PresenceChanged { users }) = heard.last() else { panic!("{heard:?}") };
    assert_eq!((users[0].presence, users[0].last_seen_at), (Presence::Online, None));
}

#[tokio::test]
async fn who_comes_is_told_at_once_and_who_goes_after_the_grace_once() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let mut watch = Watch::begin(&world, bob, "bob", ada).await;
    let phone = world.socket(ada, "phone").await;
    announce(&world).await;
    assert_eq!(watch.heard(), [Presence::Online]);
    world.closings().disconnect(&phone).await.unwrap();
    after_seconds(&world, 14).await;
    assert!(watch.heard().is_empty(), "they may only be changing sockets");
    after_seconds(&world, 1).await;
    assert_eq!(watch.heard(), [Presence::Offline]);
    after_seconds(&world, 60).await;
    assert!(watch.heard().is_empty());
}

#[tokio::test]
async fn a_reconnect_within_the_grace_announces_nothing() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let mut phone = world.socket(ada, "phone").await;
    let mut watch = Watch::begin(&world, bob, "bob", ada).await;
    for round in 0..3 {
        world.closings().disconnect(&phone).await.unwrap();
        after_seconds(&world, 10).await;
        phone = world.socket(ada, &format!("phone-{round}")).await;
        after_seconds(&world, 15).await;
    }
    assert!(watch.heard().is_empty());
    assert_eq!(watch.renew().await, Presence::Online);
}

#[tokio::test]
async fn a_reconnect_that_opens_the_next_socket_first_announces_nothing() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let old = world.socket(ada, "old").await;
    let mut watch = Watch::begin(&world, bob, "bob", ada).await;
    world.socket(ada, "next").await;
    announce(&world).await;
    world.closings().disconnect(&old).await.unwrap();
    assert_eq!(world.queues.presence_length(), 0, "nothing is even queued");
    after_seconds(&world, 60).await;
    assert!(watch.heard().is_empty());
}

#[tokio::test]
async fn a_disconnect_that_never_came_shows_at_the_next_watch_and_is_told_to_the_others() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let cleo = world.person("cleo").await;
    world.group(ada, &[cleo]).await;
    world.socket(ada, "phone").await;
    let mut of_bob = Watch::begin(&world, bob, "bob", ada).await;
    let mut of_cleo = Watch::begin(&world, cleo, "cleo", ada).await;
    for _ in 0..2 {
        world.clock.advance(limits::HEARTBEAT_INTERVAL);
        for watch in [&of_bob, &of_cleo] {
            world.heartbeats().beat(&watch.socket, &[]).await.unwrap();
            assert_eq!(watch.renew().await, Presence::Online, "the lease is valid");
        }
    }
    world.clock.advance(limits::CONNECTION_LEASE - 2 * limits::HEARTBEAT_INTERVAL);
    assert_eq!(of_bob.renew().await, Presence::Offline);
    assert!(of_cleo.heard().is_empty());
    after_seconds(&world, limits::OFFLINE_GRACE.as_secs()).await;
    assert_eq!(of_cleo.heard(), [Presence::Offline]);
    assert_eq!(of_bob.heard(), [Presence::Offline]);
}

#[tokio::test]
async fn a_watch_ends_by_itself_after_90_seconds() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let phone = world.socket(ada, "phone").await;
    let mut watch = Watch::begin(&world, bob, "bob", ada).await;
    world.clock.advance(limits::WATCH_LIFETIME);
    world.presence_status().set(&phone, Status::Away).await.unwrap();
    announce(&world).await;
    assert!(watch.heard().is_empty());
    assert_eq!(watch.renew().await, Presence::Away);
    world.presence_status().set(&phone, Status::Online).await.unwrap();
    announce(&world).await;
    assert_eq!(watch.heard(), [Presence::Online]);
}

#[tokio::test]
async fn one_asks_for_1_to_50_people_and_each_is_answered_once_in_that_order() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let phone = world.socket(ada, "phone").await;
    let many: Vec<_> = (0..=50).map(|number| UserId(Uuid::from_u128(number))).collect();
    for people in [&[][..], &many] {
        let asked = world.presences().of_people(ada, people).await.unwrap_err();
        let watched = world.presence_watches().watch(&phone, people).await.unwrap_err();
        for error in [asked, watched] {
            let Error::Invalid(fields) = error else { panic!("{error:?}") };
            assert_eq!(fields[0].code, "invalid_user_count");
        }
    }
    let twice = [bob.user_id(), many[3], bob.user_id(), many[1]];
    let views = world.presences().of_people(ada, &twice).await.unwrap();
    let ids: Vec<_> = views.iter().map(|view| view.user_id).collect();
    assert_eq!(ids, [bob.user_id(), many[3], many[1]]);
}

#[tokio::test]
async fn a_socket_that_nobody_is_known_behind_is_turned_away() {
    let world = World::new();
    let unknown = ConnectionId::parse("unknown").unwrap();
    let set = world.presence_status().set(&unknown, Status::Online).await.unwrap_err();
    let people = [UserId(Uuid::from_u128(1))];
    let watched = world.presence_watches().watch(&unknown, &people).await.unwrap_err();
    for error in [set, watched] {
        assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
    }
    assert!(world.pusher.is_disconnected(&unknown));
}

#[tokio::test]
async fn a_socket_opens_and_closes_though_its_presence_cannot_be_told() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    world.queues.set_down(true);
    let phone = world.socket(ada, "phone").await;
    world.closings().disconnect(&phone).await.unwrap();
    world.socket(ada, "laptop").await;
    world.queues.set_down(false);
    let watch = Watch::begin(&world, bob, "bob", ada).await;
    assert_eq!(watch.renew().await, Presence::Online);
}

#[tokio::test]
async fn more_watchers_than_one_process_tells_at_once_are_told_by_the_fan_out_queue() {
    let world = World::new();
    let (ada, bob) = people(&world).await;
    let watches = limits::INLINE_PUSH_CONNECTIONS + 5;
    let mut sockets = Vec::new();
    for number in 0..watches {
        let connection = world.connected(bob.user_id(), &format!("b{number}")).await;
        world.presence_watches().watch(&connection.id, &[ada.user_id()]).await.unwrap();
        sockets.push(connection.id);
    }
    world.socket(ada, "phone").await;
    world.clock.advance(Duration::from_millis(1));
    announce(&world).await;
    crate::steps::fan_out(&world).await;
    for socket in sockets {
        assert_eq!(world.pusher.heard_by(&socket).len(), 1);
    }
}
