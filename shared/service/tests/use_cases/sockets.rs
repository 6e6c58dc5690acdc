//! Tickets, upgrades, heartbeats, hanging up.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{ConnectionId, Seq, limits};
use service::port::{Behind, Clock, ConnectionStore, Failure, PushOutcome, Pusher};
use service::{Error, Event, Hangup};
use testkit::world::World;

fn id(name: &str) -> ConnectionId {
    ConnectionId::parse(name).unwrap()
}

fn is_refused(error: &Error) -> bool {
    matches!(error, Error::Unauthenticated { code: "ticket_invalid", .. })
}

#[tokio::test]
async fn a_ticket_opens_one_socket() {
    let world = World::new();
    let ada = world.person("ada").await;
    let ticket = world.tickets().issue(ada).await.unwrap();
    world.upgrades().connect(id("first"), &ticket).await.unwrap();
    let error = world.upgrades().connect(id("second"), &ticket).await.unwrap_err();
    assert!(is_refused(&error), "{error:?}");
    let open = world.live.of_users(&[ada.user_id()], world.clock.now()).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((&open[0].id, open[0].identity), (&id("first"), ada.identity()));
}

#[tokio::test]
async fn an_expired_or_unknown_ticket_opens_none() {
    let world = World::new();
    let ada = world.person("ada").await;
    let ticket = world.tickets().issue(ada).await.unwrap();
    world.clock.advance(limits::TICKET_LIFETIME);
    for ticket in [ticket.as_str(), "", "unknown", "\u{0}"] {
        let error = world.upgrades().connect(id("phone"), ticket).await.unwrap_err();
        assert!(is_refused(&error), "{error:?}");
    }
    assert!(world.live.get(&id("phone")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_that_was_ended_gets_no_ticket() {
    let world = World::new();
    let ada = world.person("ada").await;
    world.sign_out().logout(ada).await.unwrap();
    let error = world.tickets().issue(ada).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { code: "unauthenticated", .. }), "{error:?}");
}

#[tokio::test]
async fn who_takes_ticket_after_ticket_waits_and_the_others_do_not() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    for _ in 0..limits::TICKETS_PER_MINUTE {
        world.tickets().issue(ada).await.unwrap();
    }
    let error = world.tickets().issue(ada).await.unwrap_err();
    assert!(matches!(error, Error::TooMany { retry_after_ms: 1_000 }), "{error:?}");
    world.tickets().issue(bob).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(1));
    world.tickets().issue(ada).await.unwrap();
}

#[tokio::test]
async fn a_ticket_of_a_session_that_ended_since_opens_no_socket() {
    let world = World::new();
    let ada = world.person("ada").await;
    let ticket = world.tickets().issue(ada).await.unwrap();
    world.sign_out().logout(ada).await.unwrap();
    let error = world.upgrades().connect(id("phone"), &ticket).await.unwrap_err();
    assert!(is_refused(&error), "{error:?}");
    assert!(world.live.get(&id("phone")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_socket_that_was_silent_for_long_ends_with_its_session() {
    let world = World::new();
    let ada = world.person("ada").await;
    let phone = world.socket(ada, "phone").await;
    world.clock.advance(limits::CONNECTION_LEASE);
    world.sign_out().logout(ada).await.unwrap();
    assert!(world.pusher.is_disconnected(&phone));
    let error = world.heartbeats().beat(&phone, &[]).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
}

#[tokio::test]
async fn the_eleventh_socket_ends_the_oldest_with_a_word() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let other = world.socket(bob, "bob").await;
    let mut sockets = Vec::new();
    for number in 0..=limits::SOCKETS_PER_USER {
        world.clock.advance(std::time::Duration::from_millis(1));
        // Names that sort the other way round, so that only the age can decide.
        sockets.push(world.socket(ada, &format!("socket-{}", 99 - number)).await);
    }
    let heard = world.pusher.heard_by(&sockets[0]);
    assert!(matches!(heard[..], [Event::Bye { reason: "too_many_sockets", .. }]), "{heard:?}");
    assert!(world.pusher.is_disconnected(&sockets[0]));
    for left in sockets[1..].iter().chain([&other]) {
        assert!(!world.pusher.is_disconnected(left));
    }
    let open = world.live.of_users(&[ada.user_id()], world.clock.now()).await.unwrap();
    assert_eq!(open.len(), limits::SOCKETS_PER_USER);
}

#[tokio::test]
async fn a_heartbeat_brings_a_pruned_connection_back_and_says_what_was_missed() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (group, quiet) = (world.group(ada, &[]).await, world.group(ada, &[]).await);
    let phone = world.socket(ada, "phone").await;
    let connection = world.live.get(&phone).await.unwrap().unwrap();
    world.live.prune(&connection).await.unwrap();
    world.submit(ada, group, &[1]).await;
    world.work(&world.archive()).await;
    assert!(world.pusher.heard_by(&phone).is_empty(), "nobody knew of it");

    world.clock.advance(limits::HEARTBEAT_INTERVAL);
    let cursors = [(group, Seq(1)), (quiet, Seq(1))];
    let beat = world.heartbeats().beat(&phone, &cursors).await.unwrap();

    assert_eq!(beat.now, world.clock.now());
    assert_eq!(beat.behind, [Behind { conversation_id: group, last_seq: Seq(2) }]);
    let open = world.live.of_users(&[ada.user_id()], world.clock.now()).await.unwrap();
    assert_eq!(open.len(), 1);
}

#[tokio::test]
async fn without_heartbeats_a_connection_counts_as_gone() {
    let world = World::new();
    let ada = world.person("ada").await;
    world.socket(ada, "phone").await;
    world.clock.advance(limits::CONNECTION_LEASE);
    let open = world.live.of_users(&[ada.user_id()], world.clock.now()).await.unwrap();
    assert!(open.is_empty());
}

#[tokio::test]
async fn a_heartbeat_of_an_unknown_connection_is_turned_away() {
    let world = World::new();
    let error = world.heartbeats().beat(&id("unknown"), &[]).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
    assert!(world.pusher.is_disconnected(&id("unknown")));
}

#[tokio::test]
async fn a_socket_that_was_never_recorded_may_close() {
    World::new().closings().disconnect(&id("unknown")).await.unwrap();
}

/// Cannot end the socket `stuck`.
struct Stuck(Arc<dyn Pusher>);

#[async_trait]
impl Pusher for Stuck {
    async fn push(&self, id: &ConnectionId, event: &Event) -> PushOutcome {
        self.0.push(id, event).await
    }

    async fn disconnect(&self, id: &ConnectionId) -> Result<(), Failure> {
        if id.as_str() == "a-stuck" {
            return Err(Failure::unavailable("management api", "a test says so"));
        }
        self.0.disconnect(id).await
    }
}

#[tokio::test]
async fn a_socket_that_cannot_be_ended_does_not_spare_the_others_of_its_session() {
    let world = World::new();
    let ada = world.person("ada").await;
    world.socket(ada, "a-stuck").await;
    let other = world.socket(ada, "b-other").await;
    let pusher: Arc<dyn Pusher> = Arc::new(Stuck(world.pusher.clone()));
    let hangup = Hangup { pusher, ..world.hangup() };
    let ended = hangup.end_session(ada.identity(), "signed_out").await;
    assert!(matches!(ended, Err(Error::Unavailable { .. })), "{ended:?}");
    assert!(world.pusher.is_disconnected(&other));
}

/// What a heartbeat of this age is answered with, beside its answer.
async fn byes(world: &World, socket: &ConnectionId) -> Vec<u64> {
    world.heartbeats().beat(socket, &[]).await.unwrap();
    let heard = world.pusher.heard_by(socket).into_iter().filter_map(|event| match event {
        Event::Bye { reason: "socket_is_old", reconnect_after_ms } => Some(reconnect_after_ms),
        _ => None,
    });
    heard.collect()
}

#[tokio::test]
async fn a_socket_is_asked_to_make_way_before_the_two_hours_and_again_with_each_heartbeat() {
    let world = World::new();
    let ada = world.person("ada").await;
    let phone = world.socket(ada, "phone").await;
    let beats = limits::BYE_AFTER.as_secs() / limits::HEARTBEAT_INTERVAL.as_secs();
    for _ in 0..beats {
        world.clock.advance(limits::HEARTBEAT_INTERVAL);
        assert!(byes(&world, &phone).await.is_empty(), "it is young");
    }
    for count in 1..=3 {
        world.clock.advance(limits::HEARTBEAT_INTERVAL);
        assert_eq!(byes(&world, &phone).await.len(), count);
    }
    assert!(!world.pusher.is_disconnected(&phone), "the client closes it");
    let open = world.live.of_users(&[ada.user_id()], world.clock.now()).await.unwrap();
    assert_eq!(open.len(), 1, "and hears everything until then");
}

#[tokio::test]
async fn not_all_sockets_of_one_hour_come_back_at_once() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut pauses = std::collections::BTreeSet::new();
    for number in 0..limits::SOCKETS_PER_USER {
        world.socket(ada, &format!("phone-{number}")).await;
    }
    world.clock.advance(limits::BYE_AFTER);
    for number in 0..limits::SOCKETS_PER_USER {
        pauses.extend(byes(&world, &id(&format!("phone-{number}"))).await);
    }
    assert!(pauses.len() > 5, "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause < 60_000), "{pauses:?}");
}
