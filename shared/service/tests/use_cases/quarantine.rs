//! Poison: whom it delays, when it is set aside, who is told.

use std::sync::Arc;
use std::time::Duration;

use domain::{Rejection, limits};
use service::PersistJob;
use service::port::Receipt;
use testkit::world::{World, client_id, persist_job};
use tokio::time::Instant;

use crate::archive::rejections;
use crate::doubles::{Step, Watched};

fn unreadable(group_id: String) -> PersistJob {
    PersistJob {
        receipt: Receipt { message_id: "unreadable".into(), handle: "handle".into() },
        group_id,
        receive_count: 1,
        body: "{\"job\":\"persist-messages/9\"}".into(),
        submissions: Err("no job of this worker".into()),
    }
}

/// Everything in the lane, as if it was received for so many times now.
fn received(world: &World, count: u32) -> Vec<PersistJob> {
    let jobs = world.queues.receive(limits::PERSIST_BATCH).into_iter().map(persist_job);
    jobs.map(|job| PersistJob { receive_count: count, ..job }).collect()
}

#[tokio::test]
async fn a_poisoned_message_delays_only_its_own_conversation_and_then_steps_aside() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (one, other) = (world.group(ada, &[]).await, world.group(ada, &[]).await);
    let phone = world.socket(ada, "phone").await;
    world.history.poison(client_id(2));
    world.submit(ada, one, &[1, 2, 3]).await;
    world.submit(ada, one, &[4]).await;
    world.submit(ada, other, &[5]).await;

    for receive in 1..limits::RECEIVES_BEFORE_QUARANTINE {
        assert_eq!(world.work(&world.archive()).await, ["message-1", "message-2"]);
        assert_eq!(world.texts(other), ["message 5"], "receive {receive}");
        assert!(world.texts(one).is_empty() && world.queues.quarantined().is_empty());
        world.clock.advance(Duration::from_secs(5));
    }
    assert!(world.work(&world.archive()).await.is_empty());

    assert_eq!(world.texts(one), ["message 1", "message 3", "message 4"]);
    assert_eq!(rejections(&world, &phone), [(2, Rejection::Quarantined)]);
    assert!(Rejection::Quarantined.is_retryable());
    let set_aside = world.queues.quarantined();
    assert_eq!(set_aside.len(), 1);
    assert_eq!(set_aside[0].conversation_id, Some(one));
    assert_eq!(world.queues.lane_length(), 0);
}

#[tokio::test]
async fn what_is_well_again_before_that_is_stored_in_its_order() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    world.history.poison(client_id(1));
    world.submit(ada, group, &[1]).await;
    world.submit(ada, group, &[2]).await;
    assert_eq!(world.work(&world.archive()).await, ["message-1", "message-2"]);
    world.history.heal(client_id(1));
    world.clock.advance(Duration::from_secs(1));
    assert!(world.work(&world.archive()).await.is_empty());
    assert_eq!(world.texts(group), ["message 1", "message 2"]);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_set_aside_at_once_and_its_neighbours_are_stored() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    world.submit(ada, group, &[1]).await;
    let mut jobs = received(&world, 1);
    jobs.insert(0, unreadable(group.to_string()));
    jobs.push(unreadable("not even an id".into()));
    let deadline = Instant::now() + Duration::from_secs(4);
    assert!(world.archive().persist(jobs, deadline).await.is_empty());
    assert_eq!(world.texts(group), ["message 1"]);
    let ids: Vec<_> = world.queues.quarantined().iter().map(|job| job.conversation_id).collect();
    assert_eq!(ids, [Some(group), None]);
}

#[tokio::test]
async fn nobody_is_told_of_a_quarantine_that_did_not_take_the_message() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let phone = world.socket(ada, "phone").await;
    world.history.poison(client_id(1));
    world.submit(ada, group, &[1, 2]).await;
    let watched = Watched::new(&world);
    watched.refuse_quarantine();
    let deadline = Instant::now() + Duration::from_secs(4);
    let failed = watched.archive().persist(received(&world, 5), deadline).await;
    assert_eq!(failed, ["message-1"]);
    assert!(rejections(&world, &phone).is_empty());
    assert!(world.texts(group).is_empty(), "what follows does not overtake it");
}

#[tokio::test]
async fn what_is_passed_over_is_set_aside_before_its_successor_is_stored() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    world.history.poison(client_id(1));
    world.submit(ada, group, &[1, 2]).await;
    let watched = Watched::new(&world);
    let deadline = Instant::now() + Duration::from_secs(4);
    assert!(watched.archive().persist(received(&world, 5), deadline).await.is_empty());
    let steps = watched.steps();
    assert_eq!(steps[..2], [Step::Append(vec![1, 2]), Step::Append(vec![1])]);
    assert_eq!(steps[2..4], [Step::Quarantine, Step::Append(vec![2])]);
}

#[tokio::test]
async fn a_write_that_never_ends_does_not_stop_the_other_conversations() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let (one, other) = (world.group(ada, &[]).await, world.group(ada, &[]).await);
    let phone = world.socket(ada, "phone").await;
    world.submit(ada, one, &[1]).await;
    world.submit(ada, other, &[2]).await;
    let watched = Watched::new(&world);
    watched.hang(1, true);

    let short = Duration::from_millis(100);
    assert_eq!(world.work_within(short, &watched.archive()).await, ["message-1", "message-2"]);
    world.clock.advance(Duration::from_secs(5));
    let enough = limits::SUSPECT_DEADLINE + Duration::from_millis(500);
    assert_eq!(world.work_within(enough, &watched.archive()).await, ["message-1"]);
    assert_eq!(world.texts(other), ["message 2"]);
    for _ in 3..limits::RECEIVES_BEFORE_QUARANTINE {
        world.clock.advance(Duration::from_secs(5));
        assert_eq!(world.work_within(short, &watched.archive()).await, ["message-1"]);
    }
    assert!(world.queues.quarantined().is_empty());
    world.clock.advance(Duration::from_secs(5));
    assert!(world.work_within(enough, &watched.archive()).await.is_empty());
    assert_eq!(rejections(&world, &phone), [(1, Rejection::Quarantined)]);
}

#[tokio::test]
async fn a_message_that_never_ends_leaves_time_for_its_neighbours_in_the_job() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let phone = world.socket(ada, "phone").await;
    world.submit(ada, group, &[1, 2, 3]).await;
    let watched = Watched::new(&world);
    watched.hang(1, true);
    let deadline = Instant::now() + Duration::from_secs(4);
    let failed = watched.archive().persist(received(&world, 5), deadline).await;
    assert!(failed.is_empty());
    assert_eq!(world.texts(group), ["message 2", "message 3"]);
    assert_eq!(rejections(&world, &phone), [(1, Rejection::Quarantined)]);
}

#[tokio::test]
async fn what_waited_behind_a_group_that_took_all_the_time_is_not_blamed() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let (one, other) = (world.group(ada, &[]).await, world.group(ada, &[]).await);
    world.submit(ada, one, &[1]).await;
    world.submit(ada, other, &[2]).await;
    let watched = Watched::new(&world);
    watched.hang(1, true);
    watched.hang(2, true);
    let deadline = Instant::now() + Duration::from_millis(1_200);
    // At an even count the first of two is in its turn.
    let failed = watched.archive().persist(received(&world, 6), deadline).await;
    assert_eq!(failed, ["message-2"], "the first one had its time and is set aside");
    assert_eq!(world.queues.quarantined().len(), 1);
    assert!(watched.steps().contains(&Step::Defer(vec!["message-2".into()], 5)));

    watched.hang(2, false);
    world.clock.advance(Duration::from_secs(5));
    assert!(world.work(&watched.archive()).await.is_empty());
    assert_eq!(world.texts(other), ["message 2"]);
}

#[tokio::test]
async fn each_group_of_a_suspect_batch_comes_first_in_its_turn() {
    let mut first = Vec::new();
    for count in [2, 3] {
        let world = Arc::new(World::new());
        let ada = world.person("ada").await;
        let (one, other) = (world.group(ada, &[]).await, world.group(ada, &[]).await);
        world.submit(ada, one, &[1]).await;
        world.submit(ada, other, &[2]).await;
        let watched = Watched::new(&world);
        let deadline = Instant::now() + Duration::from_secs(4);
        watched.archive().persist(received(&world, count), deadline).await;
        first.extend(watched.steps().into_iter().next());
    }
    assert_eq!(first, [Step::Append(vec![1]), Step::Append(vec![2])]);
}
