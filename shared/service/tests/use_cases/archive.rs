//! From the lane into history, and who is told.

use std::sync::Arc;
use std::time::Duration;

use domain::{ConnectionId, Rejection, Seq};
use service::Event;
use service::port::{Clock, PushOutcome};
use testkit::world::{World, client_id};

use crate::doubles::{Step, Watched};

/// The rejections that a connection heard, by the number of the message.
pub fn rejections(world: &World, id: &ConnectionId) -> Vec<(u128, Rejection)> {
    let heard = world.pusher.heard_by(id).into_iter();
    let rejected = heard.filter_map(|event| match event {
        Event::MessageRejected { client_id, rejection, .. } => {
            Some((client_id.0.as_u128(), rejection))
        }
        _ => None,
    });
    rejected.collect()
}

#[tokio::test]
async fn a_batch_is_one_transaction_and_one_frame_for_each_conversation_and_connection() {
    let world = Arc::new(World::new());
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let (one, other) = (world.group(ada, &[bob]).await, world.group(ada, &[bob]).await);
    let phone = world.socket(bob, "bob-phone").await;
    world.submit(ada, one, &[1, 2]).await;
    world.submit(bob, other, &[3]).await;
    world.submit(ada, one, &[4]).await;

    let watched = Watched::new(&world);
    assert!(world.work(&watched.archive()).await.is_empty());

    assert_eq!(watched.steps(), [Step::Append(vec![1, 2, 4, 3])]);
    assert_eq!(world.texts(one), ["message 1", "message 2", "message 4"]);
    let heard = world.pusher.heard_by(&phone);
    assert_eq!(heard.len(), 2);
    let frame = heard.into_iter().find_map(|event| match event {
        Event::MessagesNew { conversation_id, after, through, messages } => {
            (conversation_id == one).then_some((after, through, messages.len()))
        }
        _ => None,
    });
    assert_eq!(frame, Some((Seq(1), Seq(4), 3)));
}

#[tokio::test]
async fn a_message_sent_twice_is_stored_once_and_told_again_with_the_same_seq() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    let phone = world.socket(bob, "bob-phone").await;
    for _ in 0..2 {
        world.submit(ada, group, &[1]).await;
        assert!(world.work(&world.archive()).await.is_empty());
    }
    assert_eq!(world.texts(group), ["message 1"]);
    assert_eq!(world.seqs_heard_by(&phone), [[2], [2]]);
}

#[tokio::test]
async fn the_same_client_id_twice_in_one_batch_is_one_message_in_one_frame() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let phone = world.socket(ada, "ada-phone").await;
    world.submit(ada, group, &[1]).await;
    world.submit(ada, group, &[1, 2]).await;
    assert!(world.work(&world.archive()).await.is_empty());
    assert_eq!(world.texts(group), ["message 1", "message 2"]);
    assert_eq!(world.seqs_heard_by(&phone), [[2, 3]]);
}

#[tokio::test]
async fn a_repeat_is_shown_again_only_to_who_had_joined() {
    let world = World::new();
    let people = (world.person("ada").await, world.person("bob").await);
    let (ada, bob) = people;
    let group = world.group(ada, &[bob]).await;
    world.submit(ada, group, &[1]).await;
    world.work(&world.archive()).await;
    let cleo = world.person("cleo").await;
    world.history.add_member(group, cleo.user_id(), world.clock.now());
    let (phone, late) = (world.socket(bob, "bob").await, world.socket(cleo, "cleo").await);

    world.submit(ada, group, &[1]).await;
    world.work(&world.archive()).await;

    assert_eq!(world.seqs_heard_by(&phone), [[2]]);
    assert!(world.seqs_heard_by(&late).concat().is_empty());
}

#[tokio::test]
async fn a_rejection_is_told_to_every_device_of_the_sender_and_to_nobody_else() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(bob, &[ada]).await;
    let (phone, tablet) = (world.socket(ada, "phone").await, world.socket(ada, "tablet").await);
    let other = world.socket(bob, "bob").await;
    world.submit(ada, group, &[1]).await;
    // Removed while the message was on its way.
    world.history.remove_member(group, ada.user_id());

    assert!(world.work(&world.archive()).await.is_empty());

    assert!(world.texts(group).is_empty());
    for device in [&phone, &tablet] {
        assert_eq!(rejections(&world, device), [(1, Rejection::NotAMember)]);
    }
    assert!(world.pusher.heard_by(&other).is_empty());
    assert_eq!(world.queues.lane_length(), 0);
}

#[tokio::test]
async fn a_block_rejects_what_was_accepted_before_it() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let opened = world.openings().open_direct(ada, bob.user_id()).await.unwrap();
    let phone = world.socket(ada, "phone").await;
    world.submit(ada, opened.conversation.id, &[1]).await;
    world.history.block(bob.user_id(), ada.user_id());
    world.work(&world.archive()).await;
    assert_eq!(rejections(&world, &phone), [(1, Rejection::Blocked)]);
}

#[tokio::test]
async fn content_that_cannot_be_stored_is_rejected_at_once_and_the_rest_is_stored() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (one, other) = (world.group(ada, &[]).await, world.group(ada, &[]).await);
    let phone = world.socket(ada, "phone").await;
    world.history.make_unstorable(client_id(2));
    world.submit(ada, one, &[1, 2, 3]).await;
    world.submit(ada, one, &[4]).await;
    world.submit(ada, other, &[5]).await;

    assert!(world.work(&world.archive()).await.is_empty());

    assert_eq!(world.texts(one), ["message 1", "message 3", "message 4"]);
    assert_eq!(world.texts(other), ["message 5"]);
    assert_eq!(rejections(&world, &phone), [(2, Rejection::InvalidMessage)]);
    assert!(world.queues.quarantined().is_empty());
}

#[tokio::test]
async fn when_the_members_cannot_be_told_the_jobs_come_again_and_the_pushes_with_them() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    let phone = world.socket(bob, "phone").await;
    world.submit(ada, group, &[1]).await;
    world.pusher.answer(&phone, PushOutcome::Failed);
    let received = world.queues.receive(10);
    world.queues.set_down(true);
    let jobs = received.into_iter().map(testkit::world::persist_job).collect();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(4);
    assert_eq!(world.archive().persist(jobs, deadline).await, ["message-1"]);
    assert_eq!(world.texts(group), ["message 1"], "committed all the same");

    world.queues.set_down(false);
    world.pusher.answer(&phone, PushOutcome::Delivered);
    world.clock.advance(Duration::from_secs(30));
    assert!(world.work(&world.archive()).await.is_empty());
    assert_eq!(world.texts(group), ["message 1"]);
    assert_eq!(world.seqs_heard_by(&phone), [[2]]);
    assert_eq!(world.queues.lane_length(), 0);
}

#[tokio::test]
async fn who_left_and_came_back_is_told_of_their_own_message_and_of_no_other_from_before() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    world.submit(bob, group, &[1]).await;
    world.submit(ada, group, &[2]).await;
    assert!(world.work(&world.archive()).await.is_empty());
    world.history.remove_member(group, bob.user_id());
    world.history.add_member(group, bob.user_id(), world.clock.now());
    let phone = world.socket(bob, "bob-phone").await;

    world.submit(bob, group, &[1]).await;
    world.submit(ada, group, &[2]).await;
    assert!(world.work(&world.archive()).await.is_empty());

    assert_eq!(world.seqs_heard_by(&phone), [vec![2], vec![]]);
}
