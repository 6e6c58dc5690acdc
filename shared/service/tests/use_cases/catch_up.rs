//! What a device fetches after it was away, and what became of one's own message.

use std::time::Duration;

use domain::{Seq, limits};
use service::port::FanOutJob;
use service::{Error, SyncPage};
use testkit::world::World;

use crate::steps::{fan_out, read, record, say};

#[tokio::test]
async fn the_feed_names_everything_at_first_and_then_what_changed() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let (busy, quiet) = (world.group(ada, &[bob]).await, world.group(ada, &[bob]).await);
    let left = world.group(bob, &[ada]).await;
    let first = world.catch_up().sync(ada, None, 50).await.unwrap();
    assert_eq!((first.conversations.len(), first.removed.len()), (3, 0));

    world.clock.advance(Duration::from_secs(60));
    let cursor = world.catch_up().sync(ada, Some(&first.next_cursor), 50).await.unwrap();
    say(&world, bob, busy, &[1]).await;
    world.history.remove_member(left, ada.user_id());
    world.clock.advance(Duration::from_secs(60));
    let next = world.catch_up().sync(ada, Some(&cursor.next_cursor), 50).await.unwrap();
    let ids: Vec<_> = next.conversations.iter().map(|entry| entry.conversation.id).collect();
    assert_eq!((ids, next.removed), (vec![busy], vec![left]));
    assert_eq!(next.conversations[0].unread_count, 1);
    assert!(!next.has_more, "{quiet} did not change");
}

#[tokio::test]
async fn what_is_read_on_one_device_is_news_to_the_other() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    say(&world, ada, group, &[1]).await;
    world.clock.advance(Duration::from_secs(60));
    let before = world.catch_up().sync(bob, None, 50).await.unwrap();
    world.clock.advance(Duration::from_secs(60));
    read(&world, bob, group, 2).await;
    record(&world).await;
    let news = world.catch_up().sync(bob, Some(&before.next_cursor), 50).await.unwrap();
    assert_eq!(news.conversations.len(), 1);
    assert_eq!((news.conversations[0].unread_count, news.conversations[0].my.read), (0, Seq(2)));
}

#[tokio::test]
async fn the_feed_comes_in_parts_that_leave_nothing_out() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(world.group(ada, &[]).await);
    }
    expected.sort_unstable();
    let (mut cursor, mut found) = (None, Vec::new());
    loop {
        let part = world.catch_up().sync(ada, cursor.as_deref(), 3).await.unwrap();
        let SyncPage { conversations, next_cursor, has_more, .. } = part;
        found.extend(conversations.iter().map(|entry| entry.conversation.id));
        cursor = Some(next_cursor);
        if !has_more {
            break;
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_cursor_that_is_too_old_or_none_of_ours_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let first = world.catch_up().sync(ada, None, 50).await.unwrap();
    world.clock.advance(limits::SYNC_CURSOR_LIFETIME);
    let error = world.catch_up().sync(ada, Some(&first.next_cursor), 50).await.unwrap_err();
    assert!(matches!(error, Error::Gone { code: "cursor_expired", .. }), "{error:?}");
    for hostile in ["", "x", "\u{0}", "' OR 1=1", "99999999999999999999999"] {
        let error = world.catch_up().sync(ada, Some(hostile), 50).await.unwrap_err();
        let Error::Invalid(fields) = &error else { panic!("{hostile:?}: {error:?}") };
        assert_eq!((fields[0].name.as_str(), fields[0].code), ("cursor", "invalid_cursor"));
    }
}

#[tokio::test]
async fn a_trace_tells_its_sender_what_became_of_their_message() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    for (who, name) in [(ada, "ada"), (bob, "bob-phone"), (bob, "bob-laptop")] {
        world.socket(who, name).await;
    }
    say(&world, ada, group, &[1]).await;
    world.clock.advance(Duration::from_secs(1));
    read(&world, bob, group, 2).await;
    record(&world).await;

    let trace = world.traces().of_message(ada, group, Seq(2)).await.unwrap();
    assert_eq!(trace.pushed_devices, 3);
    assert!(trace.trace_id.is_some() && trace.stored_at >= trace.accepted_at);
    let told: Vec<_> = trace.delivered.iter().chain(&trace.read).map(|(user, _)| *user).collect();
    assert_eq!(told, [bob.user_id(); 2]);
    let at = trace.read[0].1;
    assert!(at > trace.stored_at);
}

#[tokio::test]
async fn a_trace_is_for_the_sender_alone() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    say(&world, ada, group, &[1]).await;
    for (who, seq) in [(bob, 2), (ada, 99)] {
        let error = world.traces().of_message(who, group, Seq(seq)).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { code: "message_not_found", .. }), "{error:?}");
    }
    let error = world.traces().of_message(ada, group, Seq(0)).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)));
    world.history.remove_member(group, ada.user_id());
    assert!(world.traces().of_message(ada, group, Seq(2)).await.is_err(), "who left sees nothing");
}

#[tokio::test]
async fn a_job_carries_the_trace_on_and_its_pushes_are_noted_too() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let crowd = limits::INLINE_PUSH_CONNECTIONS + 1;
    for number in 0..crowd {
        world.connected(ada.user_id(), &format!("c{number}")).await;
    }
    world.submit(ada, group, &[1]).await;
    world.work(&world.archive()).await;
    let trace = world.traces().of_message(ada, group, Seq(2)).await.unwrap();
    assert_eq!(trace.pushed_devices, 0, "it waits in the fan-out queue");
    let jobs = world.queues.drain_fan_out();
    let [FanOutJob::ToConnections { trace_ids, .. }] = &jobs[..] else { panic!("{jobs:?}") };
    assert_eq!(Some(trace_ids[0]), trace.trace_id);
    for job in jobs {
        world.fan_out().run(job).await.unwrap();
    }
    fan_out(&world).await;
    record(&world).await;
    let trace = world.traces().of_message(ada, group, Seq(2)).await.unwrap();
    assert_eq!(usize::try_from(trace.pushed_devices).unwrap(), crowd);
}

#[tokio::test]
async fn a_message_is_told_though_the_trace_cannot_be_noted() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let phone = world.socket(ada, "ada").await;
    world.submit(ada, group, &[1]).await;
    world.work(&world.archive()).await;
    let event = world.pusher.heard_by(&phone).remove(0);
    world.queues.set_down(true);
    let connection = world.connected(ada.user_id(), "tablet").await;
    let connections = vec![connection.clone()];
    let job = FanOutJob::ToConnections { event: event.clone(), trace_ids: vec![], connections };
    world.fan_out().run(job).await.unwrap();
    assert_eq!(world.pusher.heard_by(&connection.id), [event]);
}
