//! What comes again: when, in which order, and what it holds up.

use std::sync::Arc;
use std::time::Duration;

use service::PersistJob;
use testkit::world::{World, client_id, persist_job};
use tokio::time::Instant;

use crate::doubles::{Step, Watched};

fn named(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|number| format!("message-{number}")).collect()
}

#[tokio::test]
async fn what_cannot_be_written_now_comes_again_as_a_whole_group_in_its_order() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let (one, other) = (world.group(ada, &[]).await, world.group(ada, &[]).await);
    for number in [1, 2, 3] {
        world.submit(ada, one, &[number]).await;
    }
    world.submit(ada, other, &[4]).await;
    let watched = Watched::new(&world);
    watched.lose(one, true);
    // Together in one transaction, so all of them wait; from then on each group is alone.
    assert_eq!(world.work(&watched.archive()).await, named(&[1, 2, 3, 4]));
    watched.steps();
    world.clock.advance(Duration::from_secs(1));

    assert_eq!(world.work(&watched.archive()).await, named(&[1, 2, 3]));

    let expected = [
        Step::Append(vec![1]),
        Step::Defer(named(&[1, 2, 3]), 2),
        Step::Append(vec![4]),
        Step::Delete(named(&[4])),
    ];
    assert_eq!(watched.steps(), expected);
    assert_eq!(world.texts(other), ["message 4"]);
    watched.lose(one, false);
    world.clock.advance(Duration::from_secs(1));
    assert!(world.queues.receive(10).is_empty(), "its delay is not over");
    world.clock.advance(Duration::from_secs(1));
    assert!(world.work(&watched.archive()).await.is_empty());
    assert_eq!(world.texts(one), ["message 1", "message 2", "message 3"]);
}

#[tokio::test]
async fn a_job_that_fails_halfway_takes_the_later_ones_of_its_group_with_it() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    world.submit(ada, group, &[1, 2]).await;
    world.submit(ada, group, &[3]).await;
    world.history.make_unstorable(client_id(1));
    world.history.poison(client_id(2));
    let mut jobs: Vec<PersistJob> = world.queues.receive(10).into_iter().map(persist_job).collect();
    // The first one failed before; the other one is new.
    jobs[0].receive_count = 3;

    let watched = Watched::new(&world);
    let deadline = Instant::now() + Duration::from_secs(4);
    let failed = watched.archive().persist(jobs, deadline).await;

    assert_eq!(failed, named(&[1, 2]));
    let expected = [
        Step::Append(vec![1, 2]),
        Step::Append(vec![1]),
        Step::Append(vec![2]),
        Step::Defer(named(&[1, 2]), 3),
    ];
    assert_eq!(watched.steps(), expected, "the same delay for both, so that the order stays");
    assert!(world.texts(group).is_empty());
}

#[tokio::test]
async fn what_failed_before_runs_last_and_the_healthy_ones_are_deleted_before_it() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let (one, other) = (world.group(ada, &[]).await, world.group(ada, &[]).await);
    world.submit(ada, one, &[1]).await;
    world.submit(ada, other, &[2]).await;
    let mut jobs: Vec<PersistJob> = world.queues.receive(10).into_iter().map(persist_job).collect();
    jobs[0].receive_count = 2;

    let watched = Watched::new(&world);
    let deadline = Instant::now() + Duration::from_secs(4);
    assert!(watched.archive().persist(jobs, deadline).await.is_empty());

    let expected = [
        Step::Append(vec![2]),
        Step::Delete(named(&[2])),
        Step::Append(vec![1]),
        Step::Delete(named(&[1])),
    ];
    assert_eq!(watched.steps(), expected);
}

#[tokio::test]
async fn a_database_that_is_down_for_long_costs_no_message() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    world.submit(ada, group, &[1, 2]).await;
    world.submit(ada, group, &[3]).await;
    world.history.set_down(true);
    for _ in 0..40 {
        assert_eq!(world.work(&world.archive()).await, named(&[1, 2]));
        world.clock.advance(Duration::from_secs(5));
    }
    assert!(world.queues.quarantined().is_empty());
    world.history.set_down(false);
    assert!(world.work(&world.archive()).await.is_empty());
    assert_eq!(world.texts(group), ["message 1", "message 2", "message 3"]);
}

#[tokio::test]
async fn nothing_is_begun_when_the_time_is_over() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    world.submit(ada, group, &[1]).await;
    let mut jobs: Vec<PersistJob> = world.queues.receive(10).into_iter().map(persist_job).collect();
    jobs[0].receive_count = 9;
    let watched = Watched::new(&world);
    assert_eq!(watched.archive().persist(jobs, Instant::now()).await, named(&[1]));
    assert_eq!(watched.steps(), [Step::Defer(named(&[1]), 5)]);
}
