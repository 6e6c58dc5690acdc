//! Telling the members: at once, through jobs, and not to who is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConnectionId, Seq, limits};
use service::port::{ConnectionStore, Failure, FanOutJob, PushOutcome, Pusher};
use service::{Announcement, Connection, Event, Recipient};
use testkit::world::World;

use crate::telling::{message, user};

fn bye() -> Event {
    Event::Bye { reason: "test", reconnect_after_ms: 0 }
}

/// An event to these users, who all joined at the beginning.
fn announcement(event: Event, users: impl Iterator<Item = u128>) -> Vec<Announcement> {
    let recipient = |number| Recipient { user_id: user(number), joined_seq: Seq::ZERO };
    vec![Announcement::new(event, users.map(recipient).collect())]
}

/// So many people with one socket each, user 1 with `c1` and so on.
async fn crowd(world: &World, count: u128) -> Vec<Connection> {
    let mut connections = Vec::new();
    for number in 1..=count {
        connections.push(world.connected(user(number), &format!("c{number}")).await);
    }
    connections
}

fn connections_of(job: &FanOutJob) -> Vec<&str> {
    match job {
        FanOutJob::ToConnections { connections, .. } => {
            connections.iter().map(|connection| connection.id.as_str()).collect()
        }
        FanOutJob::ToMembers { .. } => panic!("a job by members: {job:?}"),
    }
}

#[tokio::test]
async fn twenty_five_connections_are_told_at_once_and_one_more_makes_a_job() {
    let world = World::new();
    crowd(&world, 26).await;
    world.delivery().announce(announcement(bye(), 1..=25)).await.unwrap();
    assert_eq!(world.pusher.said().len(), limits::INLINE_PUSH_CONNECTIONS);
    assert!(world.queues.drain_fan_out().is_empty());

    world.delivery().announce(announcement(bye(), 1..=26)).await.unwrap();
    assert_eq!(world.pusher.said().len(), limits::INLINE_PUSH_CONNECTIONS, "no more were told");
    let jobs = world.queues.drain_fan_out();
    assert_eq!(jobs.iter().map(|job| connections_of(job).len()).collect::<Vec<_>>(), [26]);
}

#[tokio::test]
async fn more_than_a_hundred_members_become_jobs_without_a_lookup() {
    let world = World::new();
    // A lookup would fail; these jobs need none.
    world.live.set_down(true);
    world.delivery().announce(announcement(bye(), 1..=250)).await.unwrap();
    let sizes: Vec<_> = world.queues.drain_fan_out().iter().map(members_of).collect();
    assert_eq!(sizes, [100, 100, 50]);
}

fn members_of(job: &FanOutJob) -> usize {
    match job {
        FanOutJob::ToMembers { recipients, .. } => recipients.len(),
        FanOutJob::ToConnections { .. } => panic!("a job by connections: {job:?}"),
    }
}

#[tokio::test]
async fn when_the_connections_cannot_be_looked_up_the_members_become_a_job() {
    let world = World::new();
    crowd(&world, 2).await;
    world.live.set_down(true);
    world.delivery().announce(announcement(bye(), 1..=2)).await.unwrap();
    let jobs = world.queues.drain_fan_out();
    assert_eq!(jobs.iter().map(members_of).collect::<Vec<_>>(), [2]);
    world.live.set_down(false);
    for job in jobs {
        world.fan_out().run(job).await.unwrap();
    }
    assert_eq!(world.pusher.said().len(), 2);
}

#[tokio::test]
async fn a_failed_push_becomes_a_job_with_only_that_connection() {
    let world = World::new();
    let crowd = crowd(&world, 3).await;
    world.pusher.answer(&crowd[1].id, PushOutcome::Failed);
    world.delivery().announce(announcement(bye(), 1..=3)).await.unwrap();
    let jobs = world.queues.drain_fan_out();
    assert_eq!(jobs.iter().map(connections_of).collect::<Vec<_>>(), [["c2"]]);

    let again = jobs.into_iter().next().unwrap();
    assert!(world.fan_out().run(again.clone()).await.is_err(), "it comes again");
    world.pusher.answer(&crowd[1].id, PushOutcome::Delivered);
    world.fan_out().run(again).await.unwrap();
    assert_eq!(world.pusher.heard_by(&crowd[1].id), [bye()]);
}

#[tokio::test]
async fn an_error_says_that_somebody_was_not_told_and_that_no_job_knows_it() {
    let world = World::new();
    let crowd = crowd(&world, 1).await;
    world.pusher.answer(&crowd[0].id, PushOutcome::Failed);
    world.queues.set_down(true);
    assert!(world.delivery().announce(announcement(bye(), 1..=1)).await.is_err());
}

#[tokio::test]
async fn a_410_prunes_an_old_connection_and_spares_a_young_one() {
    let world = World::new();
    let old = world.connected(user(1), "old").await;
    world.clock.advance(limits::PRUNE_MIN_AGE);
    let young = world.connected(user(1), "young").await;
    let other = world.connected(user(2), "other").await;
    for gone in [&old, &young] {
        world.pusher.answer(&gone.id, PushOutcome::Gone);
    }
    world.delivery().announce(announcement(bye(), 1..=2)).await.unwrap();

    assert!(world.queues.drain_fan_out().is_empty(), "who is gone is not tried again");
    let now = testkit::ambient::at_ms(10_000);
    let mut left = world.live.of_users(&[user(1), user(2)], now).await.unwrap();
    left.sort_by(|one, another| another.id.cmp(&one.id));
    assert_eq!(left, [young, other]);
    // Its record stays, so that a heartbeat makes it known again.
    assert!(world.live.get(&old.id).await.unwrap().is_some());
}

#[tokio::test]
async fn who_joined_later_gets_the_frame_without_the_earlier_messages() {
    let world = World::new();
    let crowd = crowd(&world, 3).await;
    let event = Event::of_new(message(5).conversation_id, vec![message(6), message(5)]).unwrap();
    let joined = [(1, 0), (2, 5), (3, 6)];
    let recipients =
        joined.map(|(number, seq)| Recipient { user_id: user(number), joined_seq: Seq(seq) });
    let announced = vec![Announcement::new(event, recipients.into())];
    world.delivery().announce(announced).await.unwrap();
    for (connection, expected) in crowd.iter().zip([vec![5, 6], vec![6], vec![]]) {
        let heard = world.pusher.heard_by(&connection.id);
        let [Event::MessagesNew { after, through, messages, .. }] = &heard[..] else {
            panic!("{heard:?}");
        };
        assert_eq!((*after, *through), (Seq(4), Seq(6)), "the cursor moves for everybody");
        assert_eq!(messages.iter().map(|m| m.seq.0).collect::<Vec<_>>(), expected);
    }
}

/// Sockets that never answer, and a count of how many are asked at once.
#[derive(Default)]
struct Deaf {
    asked: AtomicUsize,
}

#[async_trait]
impl Pusher for Deaf {
    async fn push(&self, _: &ConnectionId, _: &Event) -> PushOutcome {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn disconnect(&self, _: &ConnectionId) -> Result<(), Failure> {
        Ok(())
    }
}

#[tokio::test]
async fn pushes_that_take_too_long_become_jobs_and_never_more_than_allowed_run_at_once() {
    let world = World::new();
    crowd(&world, 10).await;
    let deaf = Arc::new(Deaf::default());
    let five: Vec<_> = (0..5).flat_map(|_| announcement(bye(), 1..=10)).collect();
    let delivery = world.delivery_over(deaf.clone());
    let announced = delivery.announce(five);
    let bound = limits::INLINE_PUSH_BUDGET + Duration::from_secs(60);
    tokio::time::timeout(bound, announced).await.expect("it ends by itself").unwrap();
    assert_eq!(deaf.asked.load(Ordering::SeqCst), limits::CONCURRENT_PUSHES);
    let jobs = world.queues.drain_fan_out();
    assert_eq!(jobs.iter().map(|job| connections_of(job).len()).sum::<usize>(), 50);
}

#[tokio::test]
async fn a_job_whose_members_have_many_sockets_is_parted_before_anybody_is_told() {
    let world = World::new();
    for number in 1..=101 {
        world.connected(user(1), &format!("c{number}")).await;
    }
    let recipients = vec![Recipient { user_id: user(1), joined_seq: Seq::ZERO }];
    let job = FanOutJob::ToMembers { event: bye(), trace_ids: vec![], recipients };
    world.fan_out().run(job).await.unwrap();
    assert!(world.pusher.said().is_empty());
    let jobs = world.queues.drain_fan_out();
    assert_eq!(jobs.iter().map(|job| connections_of(job).len()).collect::<Vec<_>>(), [100, 1]);
}
