//! Who comes and goes: what a reconnect shows, and what is told though something failed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConnectionId, Presence, Status, UserId, limits};
use service::port::{Failure, PresenceQueue, PushOutcome};
use service::{Caller, Error, Event, PresenceWatches, Turnout, Upgrades};
use testkit::world::World;

use crate::steps::{after_seconds, announce};

/// Ada with a phone, and a socket of bob that watches her.
async fn story() -> (World, Caller, ConnectionId, ConnectionId) {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    world.group(ada, &[bob]).await;
    let watcher = world.socket(bob, "bob").await;
    let phone = world.socket(ada, "phone").await;
    announce(&world).await;
    watch(&world, &watcher, ada).await;
    (world, ada, phone, watcher)
}

async fn watch(world: &World, watcher: &ConnectionId, person: Caller) {
    world.presence_watches().watch(watcher, &[person.user_id()]).await.unwrap();
}

fn heard(world: &World, socket: &ConnectionId) -> Vec<Presence> {
    let users = world.pusher.heard_by(socket).into_iter().filter_map(|event| match event {
        Event::PresenceChanged { users } => Some(users),
        _ => None,
    });
    users.flatten().map(|view| view.presence).collect()
}

#[tokio::test]
async fn at_the_cut_after_two_hours_nobody_is_told_whatever_the_status() {
    for status in [Status::Online, Status::Away, Status::Dnd, Status::Invisible] {
        let (world, ada, mut phone, watcher) = story().await;
        world.presence_status().set(&phone, status).await.unwrap();
        announce(&world).await;
        let before = heard(&world, &watcher);
        for round in 0..3 {
            let next = world.socket(ada, &format!("next-{round}")).await;
            announce(&world).await;
            world.closings().disconnect(&phone).await.unwrap();
            after_seconds(&world, 20).await;
            phone = next;
        }
        assert_eq!(heard(&world, &watcher), before, "{status:?}");
    }
}

#[tokio::test]
async fn whoever_loses_the_network_comes_back_as_they_were() {
    for status in [Status::Away, Status::Dnd, Status::Invisible] {
        let (world, ada, phone, watcher) = story().await;
        world.presence_status().set(&phone, status).await.unwrap();
        announce(&world).await;
        let before = heard(&world, &watcher);
        world.closings().disconnect(&phone).await.unwrap();
        after_seconds(&world, 5).await;
        world.socket(ada, "next").await;
        after_seconds(&world, 20).await;
        assert_eq!(heard(&world, &watcher), before, "{status:?}");
    }
}

#[tokio::test]
async fn whoever_is_between_two_sockets_when_it_is_looked_is_not_called_offline() {
    let (world, ada, phone, watcher) = story().await;
    world.closings().disconnect(&phone).await.unwrap();
    after_seconds(&world, 10).await;
    let again = world.socket(ada, "again").await;
    after_seconds(&world, 4).await;
    world.closings().disconnect(&again).await.unwrap();
    after_seconds(&world, 1).await;
    assert!(heard(&world, &watcher).is_empty(), "for a second only");
    let last = world.socket(ada, "last").await;
    after_seconds(&world, 30).await;
    assert!(heard(&world, &watcher).is_empty());

    world.closings().disconnect(&last).await.unwrap();
    after_seconds(&world, limits::OFFLINE_GRACE.as_secs()).await;
    assert_eq!(heard(&world, &watcher), [Presence::Offline]);
}

#[tokio::test]
async fn watchers_who_could_not_be_told_are_told_when_the_job_comes_again() {
    let (world, ada, phone, watcher) = story().await;
    world.presence_status().set(&phone, Status::Dnd).await.unwrap();
    world.queues.drain_presence();
    world.pusher.answer(&watcher, PushOutcome::Failed);
    world.queues.set_down(true);
    assert!(world.presence_announcements().announce(ada.user_id()).await.is_err());
    world.queues.set_down(false);
    world.pusher.answer(&watcher, PushOutcome::Delivered);
    world.presence_announcements().announce(ada.user_id()).await.unwrap();
    assert_eq!(heard(&world, &watcher), [Presence::Dnd]);
    world.presence_announcements().announce(ada.user_id()).await.unwrap();
    assert_eq!(heard(&world, &watcher).len(), 1, "nothing new");
}

/// A queue that never answers.
struct Hanging;

#[async_trait]
impl PresenceQueue for Hanging {
    async fn enqueue(&self, _: UserId, _: Duration) -> Result<(), Failure> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_queue_that_hangs_or_is_down_keeps_nobody_out_and_refuses_no_snapshot() {
    let (world, ada, phone, watcher) = story().await;
    world.closings().disconnect(&phone).await.unwrap();
    world.queues.set_down(true);
    watch(&world, &watcher, ada).await;
    world.queues.set_down(false);
    let watches = PresenceWatches { queue: Arc::new(Hanging), ..world.presence_watches() };
    let people = [ada.user_id()];
    let watched = tokio::time::timeout(Duration::from_secs(60), watches.watch(&watcher, &people));
    assert_eq!(watched.await.expect("it ends").unwrap()[0].presence, Presence::Offline);

    after_seconds(&world, 20).await;
    let turnout = Turnout { queue: Arc::new(Hanging), ..world.turnout() };
    let upgrades = Upgrades { turnout, ..world.upgrades() };
    let ticket = world.tickets().issue(ada).await.unwrap();
    let id = ConnectionId::parse("next").unwrap();
    let opened = tokio::time::timeout(Duration::from_secs(60), upgrades.connect(id, &ticket));
    opened.await.expect("it ends").unwrap();
}

#[tokio::test]
async fn whoever_changes_their_status_or_looks_around_without_end_is_asked_to_wait() {
    let (world, ada, phone, watcher) = story().await;
    for _ in 0..limits::SIGNALS_BURST {
        world.presence_status().set(&phone, Status::Away).await.unwrap();
    }
    let refused = world.presence_status().set(&phone, Status::Online).await.unwrap_err();
    assert!(matches!(refused, Error::TooMany { retry_after_ms: 1.. }), "{refused:?}");
    let people = [ada.user_id()];
    let refused = world.presence_watches().watch(&phone, &people).await.unwrap_err();
    assert!(matches!(refused, Error::TooMany { .. }), "one bucket for both: {refused:?}");
    watch(&world, &watcher, ada).await;
    world.clock.advance(Duration::from_secs(1));
    world.presence_status().set(&phone, Status::Online).await.unwrap();
}
