//! Looking at people, conversations, and at the health of what the functions stand on.

use std::sync::Arc;

use domain::{DisplayName, SessionId, UserId};
use service::port::{Probe, UserChange};
use service::{Caller, Error, Health, Page};
use testkit::ambient::FakeProbe;
use testkit::world::World;
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
