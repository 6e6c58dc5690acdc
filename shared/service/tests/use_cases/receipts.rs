//! Receipts: recorded in one batch, told to those who wrote it.

use domain::{ConnectionId, ConversationId, Marks, Seq, UserId};
use service::port::{PushOutcome, PushRecord, RecordJob, SettingsChange, UserChange};
use service::{Caller, Error, Event, Progress};
use testkit::world::World;

use crate::steps::{read, record, say};

struct Story {
    world: World,
    people: [Caller; 3],
    phones: [ConnectionId; 3],
    group: ConversationId,
}

/// Ada, bob and cleo with a phone each; ada wrote seq 2 and 3, bob wrote seq 4.
async fn story() -> Story {
    let world = World::new();
    let mut people = Vec::new();
    let mut phones = Vec::new();
    for name in ["ada", "bob", "cleo"] {
        people.push(world.person(name).await);
        phones.push(world.socket(people[people.len() - 1], name).await);
    }
    let people = <[Caller; 3]>::try_from(people).unwrap();
    let group = world.group(people[0], &people[1..]).await;
    say(&world, people[0], group, &[1, 2]).await;
    say(&world, people[1], group, &[3]).await;
    Story { world, people, phones: phones.try_into().unwrap(), group }
}

/// (who, delivered, read) of every frame that this socket heard.
fn marks_heard_by(world: &World, id: &ConnectionId) -> Vec<Vec<(UserId, i64, i64)>> {
    let heard = world.pusher.heard_by(id).into_iter().filter_map(|event| match event {
        Event::ReceiptUpdated { marks, .. } => Some(marks),
        _ => None,
    });
    let flat = |marks: Vec<service::MemberMarks>| {
        marks.iter().map(|m| (m.user_id, m.marks.delivered.0, m.marks.read.0)).collect()
    };
    heard.map(flat).collect()
}

#[tokio::test]
async fn only_the_authors_of_what_was_read_are_told() {
    let Story { world, people, phones, group } = story().await;
    read(&world, people[2], group, 3).await;
    record(&world).await;
    assert_eq!(marks_heard_by(&world, &phones[0]), [[(people[2].user_id(), 3, 3)]]);
    assert!(marks_heard_by(&world, &phones[1]).is_empty(), "what bob wrote was not read yet");
    assert!(marks_heard_by(&world, &phones[2]).is_empty());

    read(&world, people[2], group, 4).await;
    record(&world).await;
    assert_eq!(marks_heard_by(&world, &phones[1]), [[(people[2].user_id(), 4, 4)]]);
    assert_eq!(marks_heard_by(&world, &phones[0]).len(), 1, "nothing new of what ada wrote");
}

#[tokio::test]
async fn the_receipts_of_one_batch_are_one_frame_for_each_author() {
    let Story { world, people, phones, group } = story().await;
    for seq in [2, 3] {
        read(&world, people[1], group, seq).await;
        read(&world, people[2], group, seq).await;
    }
    record(&world).await;
    let mut expected = vec![(people[1].user_id(), 3, 3), (people[2].user_id(), 3, 3)];
    expected.sort_unstable();
    let mut heard = marks_heard_by(&world, &phones[0]);
    assert_eq!(heard.len(), 1);
    heard[0].sort_unstable();
    assert_eq!(heard[0], expected);
}

#[tokio::test]
async fn who_does_not_share_receipts_shows_only_what_was_delivered() {
    let Story { world, people, phones, group } = story().await;
    let share_receipts = Some(false);
    let settings = SettingsChange { share_receipts, ..SettingsChange::default() };
    let change = UserChange { settings, ..UserChange::default() };
    world.profiles().update_me(people[2], change).await.unwrap();
    read(&world, people[2], group, 4).await;
    record(&world).await;
    let shown = world.receipt_marks().of_members(people[0], group).await.unwrap();
    let own = world.receipt_marks().of_members(people[2], group).await.unwrap();
    let of_cleo = |marks: Vec<service::MemberMarks>| {
        let cleo = people[2].user_id();
        marks.into_iter().find(|marks| marks.user_id == cleo).unwrap().marks
    };
    assert_eq!(of_cleo(own), Marks { delivered: Seq(4), read: Seq(4) });
    let joined = of_cleo(shown);
    assert_eq!(joined.delivered, Seq(4));
    assert!(joined.read < Seq(2), "what was there when they joined");
    let heard = marks_heard_by(&world, &phones[0]);
    assert_eq!(heard, [[(people[2].user_id(), 4, joined.read.0)]]);
}

#[tokio::test]
async fn who_is_no_member_leaves_no_receipt_over_either_way() {
    let Story { world, people, group, .. } = story().await;
    let eve = world.person("eve").await;
    let phone = world.socket(eve, "eve").await;
    let progress = Progress { delivered: Some(Seq(4)), read: None };
    let over_http = world.receipts().claim(eve, group, progress).await.unwrap_err();
    let over_socket = world.socket_receipts().claim(&phone, group, progress).await.unwrap_err();
    for error in [over_http, over_socket] {
        assert!(matches!(error, Error::NotFound { code: "conversation_not_found", .. }));
    }
    let unknown = ConnectionId::parse("unknown").unwrap();
    let error = world.socket_receipts().claim(&unknown, group, progress).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }));
    assert!(world.queues.drain_records().is_empty());
    let error = world.receipt_marks().of_members(eve, group).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { code: "conversation_not_found", .. }));

    // Removed after the claim was accepted: the truth is looked at again.
    read(&world, people[2], group, 4).await;
    world.history.remove_member(group, people[2].user_id());
    record(&world).await;
    let marks = world.receipt_marks().of_members(people[0], group).await.unwrap();
    assert!(marks.iter().all(|marks| marks.user_id != people[2].user_id()));
}

#[tokio::test]
async fn a_receipt_from_a_socket_is_of_the_one_behind_it() {
    let Story { world, people, phones, group } = story().await;
    let progress = Progress { delivered: Some(Seq(3)), read: None };
    world.socket_receipts().claim(&phones[1], group, progress).await.unwrap();
    record(&world).await;
    assert_eq!(marks_heard_by(&world, &phones[0])[0][0].0, people[1].user_id());
}

#[tokio::test]
async fn a_batch_that_fails_comes_again_and_tells_nobody_twice() {
    let Story { world, people, phones, group } = story().await;
    read(&world, people[2], group, 3).await;
    let batch = world.queues.drain_records();
    world.history.set_down(true);
    assert!(world.receipt_book().record(batch.clone()).await.is_err());
    world.history.set_down(false);
    for _ in 0..3 {
        world.receipt_book().record(batch.clone()).await.unwrap();
    }
    assert_eq!(marks_heard_by(&world, &phones[0]).len(), 1);
}

/// Whoever raised the marks may have died before a word was said.
#[tokio::test]
async fn authors_who_were_not_told_are_told_when_the_batch_comes_again() {
    let Story { world, people, phones, group } = story().await;
    read(&world, people[2], group, 4).await;
    let batch = world.queues.drain_records();
    for phone in &phones {
        world.pusher.answer(phone, PushOutcome::Failed);
    }
    world.queues.set_down(true);
    assert!(world.receipt_book().record(batch.clone()).await.is_err());
    world.queues.set_down(false);
    for phone in &phones {
        world.pusher.answer(phone, PushOutcome::Delivered);
    }
    world.receipt_book().record_again(batch).await.unwrap();
    let cleo = people[2].user_id();
    for author in &phones[..2] {
        assert_eq!(marks_heard_by(&world, author), [[(cleo, 4, 4)]]);
    }
    assert!(marks_heard_by(&world, &phones[2]).is_empty());
}

#[tokio::test]
async fn pushes_are_noted_only_when_the_receipts_of_their_batch_are_through() {
    let Story { world, people, phones, group } = story().await;
    read(&world, people[2], group, 4).await;
    let mut batch = world.queues.drain_records();
    let (after, through) = (Seq(1), Seq(2));
    let push = PushRecord { conversation_id: group, after, through, devices: 40, at: None };
    batch.insert(0, RecordJob::Push(push));
    world.pusher.answer(&phones[0], PushOutcome::Failed);
    world.queues.set_down(true);
    let before = world.traces().of_message(people[0], group, Seq(2)).await.unwrap().pushed_devices;
    for _ in 0..3 {
        assert!(world.receipt_book().record_again(batch.clone()).await.is_err());
    }
    world.queues.set_down(false);
    world.receipt_book().record_again(batch).await.unwrap();
    let after = world.traces().of_message(people[0], group, Seq(2)).await.unwrap().pushed_devices;
    assert_eq!(after - before, 40);
}

#[tokio::test]
async fn a_receipt_that_the_queue_does_not_take_is_not_accepted() {
    let Story { world, people, group, .. } = story().await;
    world.queues.set_down(true);
    let progress = Progress { delivered: Some(Seq(3)), read: None };
    let error = world.receipts().claim(people[2], group, progress).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }));
}
