//! A block ends what two people watch of each other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConnectionId, Presence, Status, limits};
use service::port::{Failure, FanOutJob, FanOutQueue};
use service::{Blocking, Caller, Event, Page, PresencePartings, PresenceView};
use testkit::world::World;

use crate::steps::{announce, fan_out, news};

/// Three people of a group, each with a socket, and nothing left to announce.
struct Story {
    world: World,
    people: [Caller; 3],
    sockets: [ConnectionId; 3],
}

const ADA: usize = 0;
const BOB: usize = 1;
const CLEO: usize = 2;

impl Story {
    async fn new() -> Self {
        let world = World::new();
        let people =
            [world.person("ada").await, world.person("bob").await, world.person("cleo").await];
        world.group(people[ADA], &people[BOB..]).await;
        let sockets = [
            world.socket(people[ADA], "ada").await,
            world.socket(people[BOB], "bob").await,
            world.socket(people[CLEO], "cleo").await,
        ];
        announce(&world).await;
        Self { world, people, sockets }
    }

    async fn watch(&self, socket: &ConnectionId, person: usize) -> Presence {
        let people = [self.people[person].user_id()];
        self.world.presence_watches().watch(socket, &people).await.unwrap()[0].presence
    }

    async fn block(&self, who: usize, other: usize) {
        self.block_by(&self.world.blocking(), who, other).await;
    }

    async fn block_by(&self, blocking: &Blocking, who: usize, other: usize) {
        blocking.block(self.people[who], self.people[other].user_id()).await.unwrap();
        let page = Page { cursor: None, limit: 10 };
        let listed = self.world.blocks().list(self.people[who], page).await.unwrap().items;
        assert_eq!(listed[0].id, self.people[other].user_id(), "the block stands");
    }

    async fn set(&self, person: usize, status: Status) {
        self.world.presence_status().set(&self.sockets[person], status).await.unwrap();
        announce(&self.world).await;
    }

    /// What this socket was told of people, from the first word on.
    async fn told(&self, socket: &ConnectionId) -> Vec<PresenceView> {
        fan_out(&self.world).await;
        let told = news(&self.world, socket, &mut 0).into_iter().map(|event| match event {
            Event::PresenceChanged { users } => users,
            other => panic!("{other:?}"),
        });
        told.flatten().collect()
    }

    fn hidden(&self, person: usize) -> PresenceView {
        let user_id = self.people[person].user_id();
        PresenceView { user_id, presence: Presence::Offline, last_seen_at: None }
    }
}

#[tokio::test]
async fn a_block_ends_at_once_what_both_watch_of_each_other_on_every_device() {
    for (who, other) in [(ADA, BOB), (BOB, ADA)] {
        let story = Story::new().await;
        let [hers, his, cleos] = &story.sockets;
        let tablet = story.world.socket(story.people[BOB], "tablet").await;
        assert_eq!(story.watch(hers, BOB).await, Presence::Online);
        for socket in [his, &tablet, cleos] {
            assert_eq!(story.watch(socket, ADA).await, Presence::Online);
        }
        story.block(who, other).await;
        assert_eq!(story.told(hers).await, [story.hidden(BOB)]);
        assert_eq!(story.told(his).await, [story.hidden(ADA)]);
        assert_eq!(story.told(&tablet).await, [story.hidden(ADA)]);
        assert_eq!(story.told(cleos).await, [], "nobody else hears of it");

        story.set(ADA, Status::Away).await;
        story.set(BOB, Status::Dnd).await;
        for (socket, count) in [(hers, 1), (his, 1), (&tablet, 1), (cleos, 1)] {
            assert_eq!(story.told(socket).await.len(), count, "{socket:?}");
        }
        assert_eq!(story.told(cleos).await[0].presence, Presence::Away, "she watches on");
    }
}

/// Word of somebody who looks offline would tell of the block and nothing else.
#[tokio::test]
async fn of_who_looks_offline_already_nothing_is_said_and_their_coming_is_not_told() {
    let story = Story::new().await;
    let [hers, his, _] = &story.sockets;
    story.set(ADA, Status::Invisible).await;
    assert_eq!(story.watch(his, ADA).await, Presence::Offline);
    story.block(ADA, BOB).await;
    story.set(ADA, Status::Online).await;
    assert_eq!(story.told(his).await, []);
    assert_eq!(story.told(hers).await, [], "she watched nobody");
}

/// Gone a moment ago, and shown as there until the grace is over.
#[tokio::test]
async fn who_is_only_shown_as_there_is_shown_no_more() {
    let story = Story::new().await;
    let [hers, his, _] = &story.sockets;
    story.watch(his, ADA).await;
    story.world.closings().disconnect(hers).await.unwrap();
    story.block(BOB, ADA).await;
    assert_eq!(story.told(his).await, [story.hidden(ADA)]);
}

#[tokio::test]
async fn a_block_stands_though_no_watch_can_be_ended_and_once_more_ends_it() {
    let story = Story::new().await;
    let [_, his, cleos] = &story.sockets;
    for socket in [his, cleos] {
        story.watch(socket, ADA).await;
    }
    story.world.live.set_down(true);
    story.block(BOB, ADA).await;
    story.block(CLEO, ADA).await;
    story.world.live.set_down(false);
    assert_eq!(story.told(his).await, []);
    story.block(BOB, ADA).await;
    assert_eq!(story.told(his).await, [story.hidden(ADA)]);
    // The other watch was left to itself, and ends when it would have ended anyway.
    story.world.clock.advance(limits::WATCH_LIFETIME);
    story.set(ADA, Status::Dnd).await;
    assert_eq!(story.told(cleos).await, []);
}

#[tokio::test]
async fn a_watch_is_over_though_nobody_can_be_told() {
    let story = Story::new().await;
    let [_, his, _] = &story.sockets;
    story.watch(his, ADA).await;
    story.world.queues.set_down(true);
    story.block(BOB, ADA).await;
    story.world.queues.set_down(false);
    story.set(ADA, Status::Dnd).await;
    assert_eq!(story.told(his).await, []);
    assert_eq!(story.watch(his, ADA).await, Presence::Offline);
}

/// A queue that never answers.
struct Hanging;

#[async_trait]
impl FanOutQueue for Hanging {
    async fn enqueue(&self, _: Vec<FanOutJob>) -> Result<(), Failure> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_queue_that_hangs_holds_no_block_up_for_long() {
    let story = Story::new().await;
    story.watch(&story.sockets[BOB], ADA).await;
    let blocking = story.world.blocking();
    let partings = PresencePartings { fan_out: Arc::new(Hanging), ..blocking.partings.clone() };
    let blocking = Blocking { partings, ..blocking };
    let blocked = story.block_by(&blocking, BOB, ADA);
    tokio::time::timeout(Duration::from_secs(60), blocked).await.expect("it ends");
}

#[tokio::test]
async fn a_block_that_is_refused_ends_nothing() {
    let story = Story::new().await;
    let [hers, ..] = &story.sockets;
    story.watch(hers, ADA).await;
    let own = story.people[ADA];
    assert!(story.world.blocking().block(own, own.user_id()).await.is_err());
    story.set(ADA, Status::Away).await;
    let told: Vec<_> = story.told(hers).await.iter().map(|view| view.presence).collect();
    assert_eq!(told, [Presence::Away]);
}
