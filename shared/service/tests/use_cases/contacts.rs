//! Contacts, blocks and the search for people.

use domain::{ContactRequestId, DisplayName, Presence, UserId, limits};
use service::port::UserChange;
use service::{Caller, ContactStatus, Error, Event, Page};
use testkit::world::World;
use uuid::Uuid;

use crate::steps::{code, fan_out, say};

fn page() -> Page {
    Page { cursor: None, limit: 10 }
}

async fn two() -> (World, Caller, Caller) {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    (world, ada, bob)
}

async fn contacts(world: &World, who: Caller) -> Vec<UserId> {
    let listed = world.contact_lists().list(who, page()).await.unwrap();
    listed.items.into_iter().map(|user| user.id).collect()
}

async fn befriend(world: &World, one: Caller, other: Caller) {
    world.introductions().ask(one, other.user_id()).await.unwrap();
    let (_, status) = world.introductions().ask(other, one.user_id()).await.unwrap();
    assert_eq!(status, ContactStatus::Contacts);
}

async fn presence(world: &World, of_caller: Caller, person: Caller) -> Presence {
    let seen = world.presences().of_people(of_caller, &[person.user_id()]).await.unwrap();
    seen[0].presence
}

#[tokio::test]
async fn both_sides_hear_of_every_step_at_once() {
    let (world, ada, bob) = two().await;
    let sockets = [world.socket(ada, "ada").await, world.socket(bob, "bob").await];
    let (request, status) = world.introductions().ask(ada, bob.user_id()).await.unwrap();
    assert_eq!((request.from, request.to), (ada.user_id(), bob.user_id()));
    assert_eq!(status, ContactStatus::Requested);
    world.contacts().decline(bob, request.id).await.unwrap();
    let (request, _) = world.introductions().ask(ada, bob.user_id()).await.unwrap();
    world.contacts().accept(bob, request.id).await.unwrap();
    assert_eq!(contacts(&world, ada).await, [bob.user_id()]);
    assert_eq!(contacts(&world, bob).await, [ada.user_id()]);
    world.contacts().remove(ada, bob.user_id()).await.unwrap();
    assert_eq!(contacts(&world, bob).await, []);
    fan_out(&world).await;
    for (socket, other) in sockets.iter().zip([bob, ada]) {
        let heard = world.pusher.heard_by(socket);
        let told = heard.iter().map(|event| match event {
            Event::ContactChanged { request, user_id, status } => {
                assert_eq!(*user_id, other.user_id(), "each hears of the other");
                (*status, request.is_some())
            }
            other => panic!("{other:?}"),
        });
        let expected = [
            (ContactStatus::Requested, true),
            (ContactStatus::Declined, true),
            (ContactStatus::Requested, true),
            (ContactStatus::Contacts, true),
            (ContactStatus::Removed, false),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn what_is_refused_has_a_name_and_is_not_told() {
    let (world, ada, bob) = two().await;
    let cleo = world.person("cleo").await;
    befriend(&world, ada, bob).await;
    world.blocking().block(cleo, ada.user_id()).await.unwrap();
    world.queues.drain_fan_out();
    let cases = [
        (ada.user_id(), "invalid_user"),
        (UserId(Uuid::from_u128(1)), "user_not_found"),
        (bob.user_id(), "already_contacts"),
        (cleo.user_id(), "not_allowed"),
    ];
    for (other, expected) in cases {
        let error = world.introductions().ask(ada, other).await.unwrap_err();
        assert_eq!(code(&error), expected);
    }
    let nothing = ContactRequestId(Uuid::from_u128(1));
    let error = world.contacts().accept(ada, nothing).await.unwrap_err();
    assert_eq!(code(&error), "contact_request_not_found");
    let error = world.contacts().decline(ada, nothing).await.unwrap_err();
    assert_eq!(code(&error), "contact_request_not_found");
    world.contacts().remove(ada, cleo.user_id()).await.unwrap();
    assert_eq!(world.queues.drain_fan_out(), []);
}

#[tokio::test]
async fn nobody_accepts_for_somebody_else() {
    let (world, ada, bob) = two().await;
    let cleo = world.person("cleo").await;
    let (request, _) = world.introductions().ask(ada, bob.user_id()).await.unwrap();
    for who in [ada, cleo] {
        let error = world.contacts().accept(who, request.id).await.unwrap_err();
        assert_eq!(code(&error), "contact_request_not_found");
    }
    assert_eq!(contacts(&world, ada).await, []);
    let waiting = world.contact_lists().requests(bob, page()).await.unwrap();
    assert_eq!(waiting.items, [request]);
}

#[tokio::test]
async fn a_contact_is_made_though_nobody_can_be_told() {
    let (world, ada, bob) = two().await;
    let (request, _) = world.introductions().ask(ada, bob.user_id()).await.unwrap();
    world.queues.set_down(true);
    world.contacts().accept(bob, request.id).await.unwrap();
    assert_eq!(contacts(&world, ada).await, [bob.user_id()]);
}

#[tokio::test]
async fn nobody_asks_everybody() {
    let (world, ada, bob) = two().await;
    for _ in 0..limits::CONTACT_REQUESTS_PER_HOUR {
        world.introductions().ask(ada, bob.user_id()).await.unwrap();
    }
    let error = world.introductions().ask(ada, bob.user_id()).await.unwrap_err();
    assert!(matches!(error, Error::TooMany { retry_after_ms: 1.. }), "{error:?}");
    world.introductions().ask(bob, ada.user_id()).await.unwrap();
}

#[tokio::test]
async fn a_block_ends_what_was_between_two_and_is_not_told() {
    let (world, ada, bob) = two().await;
    befriend(&world, ada, bob).await;
    let opened = world.openings().open_direct(ada, bob.user_id()).await.unwrap();
    let id = opened.conversation.id;
    world.socket(ada, "ada").await;
    world.socket(bob, "bob").await;
    assert_eq!(presence(&world, ada, bob).await, Presence::Online);
    world.queues.drain_fan_out();
    for _ in 0..2 {
        world.blocking().block(bob, ada.user_id()).await.unwrap();
    }
    assert_eq!(world.queues.drain_fan_out(), [], "the other side is not told");
    assert_eq!((contacts(&world, ada).await, contacts(&world, bob).await), (vec![], vec![]));
    say(&world, ada, id, &[1]).await;
    say(&world, bob, id, &[2]).await;
    assert_eq!(world.texts(id), [""; 0], "neither side writes into it");
    assert_eq!(presence(&world, ada, bob).await, Presence::Offline);
    assert_eq!(presence(&world, bob, ada).await, Presence::Offline);
    world.blocks().unblock(bob, ada.user_id()).await.unwrap();
    say(&world, ada, id, &[3]).await;
    assert_eq!(world.texts(id), ["message 3"]);
}

#[tokio::test]
async fn a_block_is_of_somebody_else_who_exists() {
    let (world, ada, bob) = two().await;
    let error = world.blocking().block(ada, ada.user_id()).await.unwrap_err();
    assert_eq!(code(&error), "invalid_user");
    let error = world.blocking().block(ada, UserId(Uuid::from_u128(1))).await.unwrap_err();
    assert_eq!(code(&error), "user_not_found");
    world.blocking().block(ada, bob.user_id()).await.unwrap();
    let listed = world.blocks().list(ada, page()).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    assert_eq!(world.blocks().list(bob, page()).await.unwrap().items, []);
}

#[tokio::test]
async fn who_asks_again_is_waited_for_and_tells_nobody() {
    let (world, ada, bob) = two().await;
    let (request, _) = world.introductions().ask(ada, bob.user_id()).await.unwrap();
    assert_eq!(world.queues.drain_fan_out().len(), 2);
    for _ in 0..3 {
        let again = world.introductions().ask(ada, bob.user_id()).await.unwrap();
        assert_eq!(again, (request, ContactStatus::Requested));
    }
    assert_eq!(world.queues.drain_fan_out(), [], "once is enough");
}

#[tokio::test]
async fn looking_for_people_is_counted() {
    let (world, ada, bob) = two().await;
    for _ in 0..limits::SEARCHES_PER_MINUTE {
        world.people_search().search(ada, "bo", page()).await.unwrap();
    }
    let error = world.people_search().search(ada, "bo", page()).await.unwrap_err();
    assert!(matches!(error, Error::TooMany { retry_after_ms: 1.. }), "{error:?}");
    world.people_search().search(bob, "ad", page()).await.unwrap();
}

#[tokio::test]
async fn a_letter_is_the_same_in_the_middle_and_at_the_end_of_what_is_looked_for() {
    let (world, ada, bob) = two().await;
    let display_name = DisplayName::parse("ΟΔΥΣΣΕΑΣ").ok();
    let change = UserChange { display_name, ..UserChange::default() };
    world.profiles().update_me(bob, change).await.unwrap();
    for query in ["ΟΔΥΣ", "οδυσ", "ΟΔΥΣΣΕΑΣ"] {
        let found = world.people_search().search(ada, query, page()).await.unwrap();
        assert_eq!(found.items.len(), 1, "{query}");
    }
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_a_name_in_any_case() {
    let (world, ada, bob) = two().await;
    for query in ["bo", " BO ", "Bob"] {
        let found = world.people_search().search(ada, query, page()).await.unwrap();
        assert_eq!(found.items.len(), 1, "{query:?}");
        assert_eq!(found.items[0].id, bob.user_id());
    }
    for query in ["", "b", "  b  ", "b\u{0}o", &"b".repeat(65), &"b".repeat(100_000)] {
        let error = world.people_search().search(ada, query, page()).await.unwrap_err();
        assert_eq!(code(&error), "invalid_query", "{query:.20}");
    }
    for query in ["%%", "__", "' OR 1=1 --"] {
        assert_eq!(world.people_search().search(ada, query, page()).await.unwrap().items, []);
    }
    let bad = Page { cursor: Some("\u{0}".into()), limit: 10 };
    assert!(world.people_search().search(ada, "bo", bad).await.is_err());
}
