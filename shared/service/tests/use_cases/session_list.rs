//! Where one is signed in, and signing out from afar.

use domain::{SessionId, limits};
use service::{Device, Login, SignedIn};
use testkit::world::{PASSWORD, World, caller, login, registration};
use uuid::Uuid;

use crate::steps::{code, farewell};

async fn sign_in(world: &World, device: &str, address: &str) -> SignedIn {
    let device = Device { name: Some(device.into()), address: Some(address.into()) };
    world.accounts().login(Login { device, ..login("ada", PASSWORD) }).await.unwrap()
}

async fn ada(world: &World) -> [SignedIn; 3] {
    world.registrations().register(registration("ada")).await.unwrap();
    [
        sign_in(world, "phone", "192.0.2.1").await,
        sign_in(world, "laptop", "192.0.2.2").await,
        sign_in(world, "tablet", "192.0.2.3").await,
    ]
}

#[tokio::test]
async fn sessions_are_listed_with_their_device_address_and_last_use() {
    let world = World::new();
    let [phone, ..] = ada(&world).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    world.sessions().refresh(&phone.refresh_token).await.unwrap();
    let listed = world.session_list().list(caller(&phone)).await.unwrap();
    assert_eq!(listed.len(), 4);
    let first = &listed[0];
    assert_eq!(first.id, phone.session_id, "the last used comes first");
    assert_eq!(first.device_name.as_deref(), Some("phone"));
    assert_eq!(first.address.as_deref(), Some("192.0.2.1"));
    assert!(first.last_used_at > first.created_at);
}

#[tokio::test]
async fn a_revoked_session_loses_its_sockets_at_once_and_opens_no_more() {
    let world = World::new();
    let [phone, laptop, tablet] = ada(&world).await;
    let on_laptop = world.socket(caller(&laptop), "laptop").await;
    let on_tablet = world.socket(caller(&tablet), "tablet").await;
    let ticket = world.tickets().issue(caller(&laptop)).await.unwrap();
    world.revocations().revoke(caller(&phone), laptop.session_id).await.unwrap();
    assert_eq!(farewell(&world, &on_laptop), Some("session_revoked"));
    assert_eq!(farewell(&world, &on_tablet), None);
    let late = domain::ConnectionId::parse("late").unwrap();
    assert!(world.upgrades().connect(late, &ticket).await.is_err(), "a ticket was out");
    assert!(world.sessions().refresh(&laptop.refresh_token).await.is_err());
    world.revocations().revoke(caller(&phone), laptop.session_id).await.unwrap();
    assert_eq!(farewell(&world, &on_tablet), None, "nothing happens when it is done again");
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let world = World::new();
    let [phone, ..] = ada(&world).await;
    let socket = world.socket(caller(&phone), "phone").await;
    let bob = world.person("bob").await;
    for session in [phone.session_id, SessionId(Uuid::from_u128(1))] {
        let error = world.revocations().revoke(bob, session).await.unwrap_err();
        assert_eq!(code(&error), "session_not_found");
    }
    world.revocations().revoke_others(bob).await.unwrap();
    assert_eq!(farewell(&world, &socket), None);
    assert!(world.sessions().refresh(&phone.refresh_token).await.is_ok());
}

#[tokio::test]
async fn all_others_are_revoked_and_this_one_stays() {
    let world = World::new();
    let [phone, laptop, tablet] = ada(&world).await;
    let sockets = [
        world.socket(caller(&phone), "phone").await,
        world.socket(caller(&laptop), "laptop").await,
        world.socket(caller(&tablet), "tablet").await,
    ];
    world.revocations().revoke_others(caller(&phone)).await.unwrap();
    let ended = sockets.each_ref().map(|socket| farewell(&world, socket));
    assert_eq!(ended, [None, Some("session_revoked"), Some("session_revoked")]);
    let listed = world.session_list().list(caller(&phone)).await.unwrap();
    assert_eq!(listed.iter().map(|view| view.id).collect::<Vec<_>>(), [phone.session_id]);
}

#[tokio::test]
async fn one_session_whose_sockets_cannot_be_ended_does_not_spare_the_next() {
    let world = World::new();
    let [phone, ..] = ada(&world).await;
    world.live.set_down(true);
    let error = world.revocations().revoke_others(caller(&phone)).await.unwrap_err();
    assert_eq!(code(&error), "unavailable");
    world.live.set_down(false);
    let listed = world.session_list().list(caller(&phone)).await.unwrap();
    assert_eq!(listed.len(), 1, "they are revoked all the same");
}

/// The database said yes, and then the sockets could not be reached.
#[tokio::test]
async fn what_could_not_be_hung_up_is_hung_up_by_doing_it_again() {
    let world = World::new();
    let [phone, laptop, tablet] = ada(&world).await;
    let on_laptop = world.socket(caller(&laptop), "laptop").await;
    let on_tablet = world.socket(caller(&tablet), "tablet").await;
    let revocations = world.revocations();
    world.live.set_down(true);
    assert!(revocations.revoke(caller(&phone), laptop.session_id).await.is_err());
    assert!(revocations.revoke_others(caller(&phone)).await.is_err());
    world.live.set_down(false);
    assert_eq!(farewell(&world, &on_laptop), None, "it could not be told");
    revocations.revoke(caller(&phone), laptop.session_id).await.unwrap();
    assert_eq!(farewell(&world, &on_laptop), Some("session_revoked"));
    revocations.revoke_others(caller(&phone)).await.unwrap();
    assert_eq!(farewell(&world, &on_tablet), Some("session_revoked"));
}

#[tokio::test]
async fn one_session_too_many_ends_the_one_that_was_not_used_for_the_longest_time() {
    let world = World::new();
    let first = world.registrations().register(registration("ada")).await.unwrap();
    let mut last = None;
    for number in 0..limits::SESSIONS_PER_USER {
        world.clock.advance(std::time::Duration::from_secs(10));
        last = Some(sign_in(&world, "phone", &format!("192.0.2.{number}")).await);
    }
    let listed = world.session_list().list(caller(&last.unwrap())).await.unwrap();
    assert_eq!(listed.len(), limits::SESSIONS_PER_USER);
    assert!(listed.iter().all(|view| view.id != first.session_id));
    assert!(world.sessions().refresh(&first.refresh_token).await.is_err());
}

#[tokio::test]
async fn a_session_that_has_ended_sees_and_ends_nothing() {
    let world = World::new();
    let [phone, laptop, _] = ada(&world).await;
    world.sign_out().logout(caller(&laptop)).await.unwrap();
    let revocations = world.revocations();
    let refused = [
        world.session_list().list(caller(&laptop)).await.map(drop),
        revocations.revoke(caller(&laptop), phone.session_id).await,
        revocations.revoke_others(caller(&laptop)).await,
    ];
    for outcome in refused {
        assert_eq!(code(&outcome.unwrap_err()), "unauthenticated");
    }
    assert!(world.sessions().refresh(&phone.refresh_token).await.is_ok());
}
