//! Mistakes found in the code of comparable systems. Each test has the name of the mistake, and
//! shows that it is not made here.

use domain::{ConnectionId, Marks, Presence, Seq, limits};
use service::port::{Clock, ConnectionStore, FanOutJob, PushOutcome, RecordJob};
use service::{Announcement, Event, Progress, Recipient};
use testkit::world::World;

use crate::steps::{after_seconds, announce, fan_out, record, say};

#[tokio::test]
async fn one_socket_per_user_second_device_overwrites_the_first_and_closing_either_says_offline() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    let (phone, laptop) = (world.socket(ada, "phone").await, world.socket(ada, "laptop").await);
    let watcher = world.socket(bob, "bob").await;
    announce(&world).await;
    world.presence_watches().watch(&watcher, &[ada.user_id()]).await.unwrap();

    say(&world, bob, group, &[1]).await;
    assert_eq!(world.seqs_heard_by(&phone), [[2]]);
    assert_eq!(world.seqs_heard_by(&laptop), [[2]]);
    for (closed, left, name) in [(&phone, &laptop, "phone-2"), (&laptop, &phone, "laptop-2")] {
        if world.live.get(left).await.unwrap().is_none() {
            world.socket(ada, name).await;
        }
        world.closings().disconnect(closed).await.unwrap();
        after_seconds(&world, 60).await;
        let presence = world.presences().of_people(bob, &[ada.user_id()]).await.unwrap();
        assert_eq!(presence[0].presence, Presence::Online);
    }
    let heard = world.pusher.heard_by(&watcher);
    let of_presence: fn(&&Event) -> bool =
        |event: &&Event| matches!(event, Event::PresenceChanged { .. });
    assert_eq!(heard.iter().filter(of_presence).count(), 0, "{heard:?}");
}

#[tokio::test]
async fn user_online_frames_from_a_client_re_broadcast_to_everybody() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let (cleo, eve) = (world.person("cleo").await, world.person("eve").await);
    world.group(ada, &[bob, cleo]).await;
    let phone = world.socket(ada, "ada").await;
    let watcher = world.socket(bob, "bob").await;
    let others = [world.socket(cleo, "cleo").await, world.socket(eve, "eve").await];
    announce(&world).await;
    for socket in others.iter().chain([&watcher]) {
        let whom = if *socket == others[0] { bob } else { ada };
        world.presence_watches().watch(socket, &[whom.user_id()]).await.unwrap();
    }
    let status = world.presence_status();
    for wanted in [domain::Status::Away, domain::Status::Online, domain::Status::Away] {
        status.set(&phone, wanted).await.unwrap();
        announce(&world).await;
    }
    assert_eq!(world.pusher.heard_by(&watcher).len(), 3, "who watches her");
    for socket in others.iter().chain([&phone]) {
        assert!(world.pusher.heard_by(socket).is_empty(), "{socket} did not ask, or may not know");
    }
}

#[tokio::test]
async fn a_receipt_on_conflict_that_lets_delivered_overwrite_read() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    say(&world, ada, group, &[1, 2, 3]).await;
    let claim = |delivered: Option<i64>, read: Option<i64>| {
        let progress = Progress { delivered: delivered.map(Seq), read: read.map(Seq) };
        let receipts = world.receipts();
        async move { receipts.claim(bob, group, progress).await.unwrap() }
    };
    claim(None, Some(3)).await;
    record(&world).await;
    // Late, in one batch and in another order, and once more by the queue.
    claim(Some(4), None).await;
    claim(Some(2), None).await;
    claim(Some(1), Some(1)).await;
    let mut batch = world.queues.drain_records();
    for _ in 0..2 {
        world.receipt_book().record(batch.clone()).await.unwrap();
        batch.reverse();
    }
    let marks = world.receipt_marks().of_members(ada, group).await.unwrap();
    let of_bob = marks.iter().find(|marks| marks.user_id == bob.user_id()).unwrap();
    assert_eq!(of_bob.marks, Marks { delivered: Seq(4), read: Seq(3) });
    assert!(batch.iter().all(|job| matches!(job, RecordJob::Receipt(_))));
}

#[tokio::test]
async fn on_410_deleting_the_senders_row() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    let sender = world.socket(ada, "sender").await;
    let (gone, alive) = (world.socket(bob, "gone").await, world.socket(bob, "alive").await);
    world.clock.advance(limits::PRUNE_MIN_AGE);
    world.pusher.answer(&gone, PushOutcome::Gone);
    say(&world, ada, group, &[1]).await;
    let open = world.live.of_users(&[ada.user_id(), bob.user_id()], world.clock.now()).await;
    let mut left: Vec<ConnectionId> = open.unwrap().into_iter().map(|one| one.id).collect();
    left.sort();
    assert_eq!(left, [alive, sender.clone()]);
    world.socket_messages().send(&sender, group, vec![testkit::world::draft(2)]).await.unwrap();
}

#[tokio::test]
async fn a_broadcast_that_reads_only_the_first_page_of_a_scan() {
    let world = World::new();
    let count = 1_000_u128;
    let mut recipients = Vec::new();
    for number in 1..=count {
        let user_id = domain::UserId(uuid::Uuid::from_u128(number));
        world.connected(user_id, &format!("c{number}")).await;
        recipients.push(Recipient { user_id, joined_seq: Seq::ZERO });
    }
    let bystander = domain::UserId(uuid::Uuid::from_u128(count + 1));
    let bystander = world.connected(bystander, "bystander").await;
    let event = Event::Bye { reason: "test", reconnect_after_ms: 0 };
    let announced = vec![Announcement::new(event.clone(), recipients)];
    world.delivery().announce(announced).await.unwrap();
    let jobs = world.queues.drain_fan_out();
    assert_eq!(jobs.len(), 10, "by the members that the transaction named, 100 each");
    for job in jobs {
        assert!(matches!(job, FanOutJob::ToMembers { .. }));
        world.fan_out().run(job).await.unwrap();
    }
    fan_out(&world).await;
    for number in 1..=count {
        let id = ConnectionId::parse(format!("c{number}").as_str()).unwrap();
        assert_eq!(world.pusher.heard_by(&id), std::slice::from_ref(&event), "{number}");
    }
    assert!(world.pusher.heard_by(&bystander.id).is_empty());
}
