//! Looking at people, conversations, and at the health of what the functions stand on.

use std::sync::Arc;

use domain::{
    AvatarUrl, ConversationId, DisplayName, Draft, MessageText, Seq, SessionId, TraceId, UserId,
};
use service::port::{Clock, Entropy, MessageStore, Probe, Submission, UserChange};
use service::{Caller, Error, Health, Page, Window};
use testkit::ambient::FakeProbe;
use testkit::world::{World, draft};
use uuid::Uuid;

fn page(cursor: Option<&str>, limit: u32) -> Page {
    Page { cursor: cursor.map(str::to_owned), limit }
}

#[tokio::test]
async fn a_profile_is_changed_only_where_something_was_given() {
    let world = World::new();
    let ada = world.person("ada").await;
    let display_name = Some(DisplayName::parse("Ada L.").unwrap());
    let change = UserChange { display_name, ..UserChange::default() };
    let changed = world.profiles().update_me(ada, change).await.unwrap();
    assert_eq!((changed.display_name.as_str(), changed.username.as_str()), ("Ada L.", "ada"));
    assert_eq!(world.profiles().me(ada).await.unwrap(), changed);
    assert_eq!(world.profiles().user(ada.user_id()).await.unwrap(), changed);
}

#[tokio::test]
async fn a_picture_is_shown_until_it_is_taken_away() {
    let world = World::new();
    let ada = world.person("ada").await;
    let url = AvatarUrl::parse("https://cdn.example/ada.png").unwrap();
    let change = |avatar_url| UserChange { avatar_url, ..UserChange::default() };
    for (wish, shown) in
        [(Some(Some(url.clone())), Some(&url)), (None, Some(&url)), (Some(None), None)]
    {
        let changed = world.profiles().update_me(ada, change(wish)).await.unwrap();
        assert_eq!(changed.avatar_url.as_ref(), shown);
        assert_eq!(world.profiles().user(ada.user_id()).await.unwrap(), changed);
    }
}

#[tokio::test]
async fn a_session_that_has_ended_changes_no_profile() {
    let world = World::new();
    let ada = world.person("ada").await;
    world.sign_out().logout(ada).await.unwrap();
    let display_name = Some(DisplayName::parse("Eve").unwrap());
    let change = UserChange { display_name, ..UserChange::default() };
    let error = world.profiles().update_me(ada, change).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
    assert_eq!(world.profiles().me(ada).await.unwrap().display_name.as_str(), "ada");
}

#[tokio::test]
async fn an_account_that_is_gone_is_no_account() {
    let world = World::new();
    let gone = UserId(Uuid::from_u128(9));
    let caller = Caller::verified(gone, SessionId(Uuid::from_u128(9)));
    for error in [
        world.profiles().me(caller).await.unwrap_err(),
        world.profiles().update_me(caller, UserChange::default()).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
    }
    let error = world.profiles().user(gone).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { code: "user_not_found", .. }), "{error:?}");
}

#[tokio::test]
async fn a_conversation_of_others_does_not_exist_on_any_way() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let group = world.group(ada, &[eve]).await;
    assert!(world.conversations().get(eve, group).await.is_ok());
    world.history.remove_member(group, eve.user_id());
    for error in [
        world.conversations().get(eve, group).await.unwrap_err(),
        world.conversations().members(eve, group, page(None, 10)).await.unwrap_err(),
    ] {
        let is_not_found = matches!(error, Error::NotFound { code: "conversation_not_found", .. });
        assert!(is_not_found, "{error:?}");
    }
    assert!(world.conversations().list(eve, page(None, 10)).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_list_goes_on_where_its_cursor_says_and_ends() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut opened = Vec::new();
    for _ in 0..5 {
        opened.push(world.group(ada, &[]).await);
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    for _ in 0..3 {
        let part = world.conversations().list(ada, page(cursor.as_deref(), 2)).await.unwrap();
        seen.extend(part.items.iter().map(|entry| entry.conversation.id));
        cursor = part.next_cursor;
    }
    assert_eq!(cursor, None);
    seen.sort();
    opened.sort();
    assert_eq!(seen, opened);
}

#[tokio::test]
async fn a_cursor_of_ones_own_making_is_refused_by_its_name() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    for cursor in ["", "nonsense", "1_1", "\u{0}", "999999999999999999999_x"] {
        let list = world.conversations().list(ada, page(Some(cursor), 2)).await.err().unwrap();
        let members = world.conversations().members(ada, group, page(Some(cursor), 2)).await;
        for error in [list, members.err().unwrap()] {
            let Error::Invalid(fields) = error else { panic!("{error:?}") };
            assert_eq!((fields[0].name.as_str(), fields[0].code), ("cursor", "invalid_cursor"));
        }
    }
}

#[tokio::test]
async fn health_names_everything_that_is_down_and_nothing_else() {
    let (one, other) = (FakeProbe::new("postgres"), FakeProbe::new("dynamodb"));
    let probes: Vec<Arc<dyn Probe>> = vec![one.clone(), other.clone()];
    let health = Health { probes };
    assert!(health.down().await.is_empty());
    other.set_down(true);
    assert_eq!(health.down().await, ["dynamodb"]);
    one.set_down(true);
    assert_eq!(health.down().await, ["postgres", "dynamodb"]);
}

/// The group, and a history of 150 messages that take 48 KB each as JSON.
async fn heavy_history(world: &World, ada: Caller) -> ConversationId {
    let group = world.group(ada, &[]).await;
    let text = MessageText::parse(&"\u{1}".repeat(8_000)).unwrap();
    let heavy = |number| Submission {
        conversation_id: group,
        sender_id: ada.user_id(),
        draft: Draft { text: Some(text.clone()), ..draft(number) },
        accepted_at: world.clock.now(),
        trace_id: TraceId(world.entropy.uuid_v7()),
    };
    world.history.append(&(0..150).map(heavy).collect::<Vec<_>>()).await.unwrap();
    group
}

#[tokio::test]
async fn a_feed_too_large_for_one_answer_comes_in_parts() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = heavy_history(&world, ada).await;
    let (mut cursor, mut revs, mut parts) = (Seq::ZERO, Vec::new(), 0);
    loop {
        let part = world.history().changes(ada, group, cursor, 200).await.unwrap();
        revs.extend(part.items.iter().map(|message| message.rev.0));
        assert_eq!(Some(part.through), part.items.last().map(|message| message.rev));
        (cursor, parts) = (part.through, parts + 1);
        if !part.has_more {
            break;
        }
    }
    assert_eq!(revs, (1..=151).collect::<Vec<_>>());
    assert_eq!(parts, 3);
}

#[tokio::test]
async fn a_page_too_large_for_one_answer_keeps_what_is_nearest_and_says_that_there_is_more() {
    let world = World::new();
    let ada = world.person("ada").await;
    let group = heavy_history(&world, ada).await;
    let windows = [
        (Window::Newest, true, false),
        (Window::Before(Seq(152)), true, false),
        (Window::After(Seq(0)), false, true),
        (Window::Around(Seq(76)), true, true),
    ];
    for (window, before, after) in windows {
        let page = world.history().page(ada, group, window, 200).await.unwrap();
        let seqs: Vec<_> = page.items.iter().map(|message| message.seq.0).collect();
        assert!(seqs.is_sorted_by(|one, next| one + 1 == *next), "{window:?}: {seqs:?}");
        assert!((70..80).contains(&seqs.len()), "{window:?}: {}", seqs.len());
        assert_eq!((page.has_more_before, page.has_more_after), (before, after), "{window:?}");
        assert_eq!((seqs[0] == 1, seqs[seqs.len() - 1] == 151), (!before, !after), "{window:?}");
        if let Window::Around(middle) = window {
            assert!(seqs.contains(&middle.0), "{seqs:?}");
        }
    }
}
