//! The way into the lane: who may send, how fast, and what `Ok` means.

use domain::{Draft, limits};
use service::{Error, Event};
use testkit::world::{World, draft};
use uuid::Uuid;

fn drafts(count: usize) -> Vec<Draft> {
    (1..=count as u128).map(draft).collect()
}

#[tokio::test]
async fn what_is_accepted_is_in_the_queue_as_one_job() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let phone = world.socket(ada, "phone").await;
    world.messages().send(ada, group, draft(1)).await.unwrap();
    world.socket_messages().send(&phone, group, vec![draft(2), draft(3)]).await.unwrap();
    assert_eq!(world.queues.lane_length(), 2);
    world.work(&world.archive()).await;
    assert_eq!(world.texts(group), ["message 1", "message 2", "message 3"]);
}

#[tokio::test]
async fn a_conversation_of_others_is_not_found() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let group = world.group(ada, &[]).await;
    let phone = world.socket(eve, "phone").await;
    let over_http = world.messages().send(eve, group, draft(1)).await.unwrap_err();
    let by_socket = world.socket_messages().send(&phone, group, drafts(1)).await.unwrap_err();
    for error in [over_http, by_socket] {
        let is_not_found = matches!(error, Error::NotFound { code: "conversation_not_found", .. });
        assert!(is_not_found, "{error:?}");
    }
    assert_eq!(world.queues.lane_length(), 0);
    assert!(!world.pusher.is_disconnected(&phone), "a mistake is no reason to hang up");
}

#[tokio::test]
async fn an_unknown_connection_is_told_so_and_disconnected() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let phone = world.socket(ada, "phone").await;
    world.closings().disconnect(&phone).await.unwrap();
    let error = world.socket_messages().send(&phone, group, drafts(1)).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { code: "unauthenticated", .. }), "{error:?}");
    let heard = world.pusher.heard_by(&phone);
    assert!(matches!(heard[..], [Event::Error { code: "unauthenticated", .. }]), "{heard:?}");
    assert!(world.pusher.is_disconnected(&phone));
    assert_eq!(world.queues.lane_length(), 0);
}

#[tokio::test]
async fn who_sends_too_fast_is_told_how_long_to_wait() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    let phone = world.socket(ada, "phone").await;
    let burst = limits::MESSAGES_BURST as usize;
    for _ in 0..burst / limits::MESSAGES_PER_FRAME {
        let full = drafts(limits::MESSAGES_PER_FRAME);
        world.socket_messages().send(&phone, group, full).await.unwrap();
    }
    let jobs = world.queues.lane_length();
    let error = world.socket_messages().send(&phone, group, drafts(2)).await.unwrap_err();
    let Error::TooMany { retry_after_ms } = error else { panic!("{error:?}") };
    assert_eq!(retry_after_ms, 2 * 1000 / u64::from(limits::MESSAGES_PER_SECOND));
    assert_eq!(world.queues.lane_length(), jobs);
    world.messages().send(bob, group, draft(1)).await.expect("everybody has a bucket");
    let error = world.messages().send(ada, group, draft(3)).await.unwrap_err();
    assert!(matches!(error, Error::TooMany { .. }), "one bucket for both ways: {error:?}");

    world.clock.advance(std::time::Duration::from_millis(retry_after_ms));
    world.socket_messages().send(&phone, group, drafts(2)).await.expect("after the wait");
}

#[tokio::test]
async fn a_file_that_does_not_exist_refuses_all_and_is_named_by_its_index() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let phone = world.socket(ada, "phone").await;
    let mut some = drafts(3);
    some[1].attachment_ids = vec![Uuid::nil()];
    let over_http = world.messages().send(ada, group, some[1].clone()).await.unwrap_err();
    let by_socket = world.socket_messages().send(&phone, group, some).await.unwrap_err();
    for (error, name) in [(over_http, "attachment_ids"), (by_socket, "messages[1].attachment_ids")]
    {
        let Error::Invalid(fields) = error else { panic!("{error:?}") };
        let named: Vec<_> = fields.iter().map(|one| (one.name.as_str(), one.code)).collect();
        assert_eq!(named, [(name, "attachment_not_found")]);
    }
    assert_eq!(world.queues.lane_length(), 0);
}

#[tokio::test]
async fn without_the_queue_nothing_is_accepted() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    world.queues.set_down(true);
    let error = world.messages().send(ada, group, draft(1)).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    world.queues.set_down(false);
    assert_eq!(world.queues.lane_length(), 0);
}

#[tokio::test]
async fn the_history_is_for_members_only() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let group = world.group(ada, &[]).await;
    let history = world.history();
    assert!(history.page(ada, group, service::Window::Newest, 10).await.is_ok());
    let page = history.page(eve, group, service::Window::Newest, 10).await.unwrap_err();
    let changes = history.changes(eve, group, domain::Seq::ZERO, 10).await.unwrap_err();
    for error in [page, changes] {
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
}
