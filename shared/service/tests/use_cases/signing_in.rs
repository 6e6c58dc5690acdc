//! What guards the door: limits, weak passwords, old hashes, and a mail about a new device.

use std::time::Duration;

use domain::{EmailAddress, Username, limits};
use service::port::PasswordStore;
use service::{Device, Error, Login, Registration};
use testkit::ambient::FakeHasher;
use testkit::world::{PASSWORD, World, caller, login, registration};

use crate::steps::{code, password};

fn from(address: &str, attempt: Login) -> Login {
    let device = Device { name: None, address: Some(address.to_owned()) };
    Login { device, ..attempt }
}

#[tokio::test]
async fn an_account_that_is_tried_often_is_closed_for_a_while_even_to_its_owner() {
    let world = World::new();
    world.person("ada").await;
    world.person("bob").await;
    for number in 0..limits::LOGINS_PER_MINUTE {
        // Every spelling of a name, from everywhere.
        let name = ["ada", " ADA", "Ada "][number as usize % 3];
        let attempt = from(&format!("192.0.2.{number}"), login(name, "wrong password"));
        let error = world.accounts().login(attempt).await.err().unwrap();
        assert_eq!(code(&error), "invalid_credentials");
    }
    let work = world.hasher.verifications();
    let error = world.accounts().login(login("ada", PASSWORD)).await.err().unwrap();
    assert!(matches!(error, Error::TooMany { retry_after_ms: 1.. }), "{error:?}");
    assert_eq!(world.hasher.verifications(), work, "it costs nothing");
    assert!(world.accounts().login(login("bob", PASSWORD)).await.is_ok());
    world.clock.advance(Duration::from_secs(60));
    assert!(world.accounts().login(login("ada", PASSWORD)).await.is_ok());
}

#[tokio::test]
async fn names_that_nobody_has_are_throttled_as_others_are() {
    let world = World::new();
    for _ in 0..limits::LOGINS_PER_MINUTE {
        let error = world.accounts().login(login("nobody", PASSWORD)).await.err().unwrap();
        assert_eq!(code(&error), "invalid_credentials");
    }
    let error = world.accounts().login(login("nobody", PASSWORD)).await.err().unwrap();
    assert_eq!(code(&error), "too_many");
}

#[tokio::test]
async fn who_has_many_addresses_in_one_network_counts_once() {
    let world = World::new();
    for number in 0..limits::LOGINS_PER_MINUTE {
        let attempt = login(&format!("person{number}"), PASSWORD);
        let attempt = from(&format!("2001:db8:1:2:{number}::{number}"), attempt);
        assert!(world.accounts().login(attempt).await.is_err());
    }
    let again = from("2001:db8:1:2:ffff::1", login("another", PASSWORD));
    assert_eq!(code(&world.accounts().login(again).await.err().unwrap()), "too_many");
    let beside = from("2001:db8:1:3::1", login("another", PASSWORD));
    let error = world.accounts().login(beside).await.err().unwrap();
    assert_eq!(code(&error), "invalid_credentials");
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_waits() {
    let world = World::new();
    world.person("ada").await;
    for number in 0..limits::LOGINS_PER_MINUTE {
        let attempt = from("192.0.2.1", login(&format!("person{number}"), PASSWORD));
        let error = world.accounts().login(attempt).await.err().unwrap();
        assert_eq!(code(&error), "invalid_credentials");
    }
    let again = from("192.0.2.1", login("ada", PASSWORD));
    let error = world.accounts().login(again).await.err().unwrap();
    assert_eq!(code(&error), "too_many");
    let elsewhere = from("192.0.2.2", login("ada", PASSWORD));
    assert!(world.accounts().login(elsewhere).await.is_ok());
}

#[tokio::test]
async fn an_address_makes_only_so_many_accounts() {
    let world = World::new();
    let new = |number: u32| Registration {
        device: Device { name: None, address: Some("192.0.2.1".into()) },
        ..registration(&format!("person{number}"))
    };
    for number in 0..limits::REGISTRATIONS_PER_HOUR {
        world.registrations().register(new(number)).await.unwrap();
    }
    let error = world.registrations().register(new(999)).await.err().unwrap();
    assert_eq!(code(&error), "too_many");
    assert!(world.registrations().register(registration("elsewhere")).await.is_ok());
}

#[tokio::test]
async fn a_weak_password_makes_no_account() {
    let world = World::new();
    for weak in ["password1", "I am Ada, hello", "ada@example.org"] {
        let wish = Registration { password: password(weak), ..registration("ada") };
        let error = world.registrations().register(wish).await.err().unwrap();
        let Error::Invalid(fields) = &error else { panic!("{error:?}") };
        assert_eq!((fields[0].name.as_str(), fields[0].code), ("password", "weak_password"));
    }
    assert_eq!(world.hasher.hashings(), 0);
    assert!(world.registrations().register(registration("ada")).await.is_ok());
}

#[tokio::test]
async fn a_password_with_an_old_hash_is_hashed_again_when_it_is_right() {
    let world = World::new();
    let ada = world.person("ada").await.user_id();
    let stored = async || world.history.hash_of(ada).await.unwrap().unwrap();
    let current = stored().await;
    world.history.rehash(ada, &current, &FakeHasher::outdated(PASSWORD)).await.unwrap();
    assert!(world.accounts().login(login("ada", "wrong password")).await.is_err());
    assert_ne!(stored().await, current);
    assert!(world.accounts().login(login("ada", PASSWORD)).await.is_ok());
    assert_eq!(stored().await, current);
    let hashings = world.hasher.hashings();
    assert!(world.accounts().login(login("ada", PASSWORD)).await.is_ok());
    assert_eq!(world.hasher.hashings(), hashings, "it is new enough now");
}

#[tokio::test]
async fn a_device_that_was_not_known_is_told_of_once() {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    verify(&world).await;
    assert!(world.accounts().login(login("ada", PASSWORD)).await.is_ok());
    assert_eq!(world.queues.drain_mails(), [], "the device of the registration is known");
    let device = Device { name: Some("phone".into()), address: Some("192.0.2.1".into()) };
    for _ in 0..2 {
        let attempt = Login { device: device.clone(), ..login("ada", PASSWORD) };
        assert!(world.accounts().login(attempt).await.is_ok());
    }
    let mut mails = world.queues.drain_mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(!format!("{mails:?}").contains("192.0.2.1"), "where it was is in no queue");
    // Whoever ends the session at once does not keep it from being told.
    world.revocations().revoke_others(caller(&ada)).await.unwrap();
    world.mailer.drain();
    world.post_office().send(mails.remove(0)).await.unwrap();
    let told = world.mailer.drain().remove(0).text;
    assert!(told.contains("phone"), "{told}");
    let wrong = Login {
        device: Device { name: Some("thief".into()), address: None },
        ..login("ada", "wrong password")
    };
    assert!(world.accounts().login(wrong).await.is_err());
    assert_eq!(world.queues.drain_mails(), [], "nobody signed in");
}

/// Who registered proves their address.
async fn verify(world: &World) {
    let token = world.deliver_mails().await.remove(0).text;
    world.email_proofs().verify(&token).await.unwrap();
}

/// From a device that was never seen.
async fn sign_in_anew(world: &World, number: u32) {
    let device = Device { name: Some(format!("phone {number}")), address: None };
    let attempt = Login { device, ..login("ada", PASSWORD) };
    assert!(world.accounts().login(attempt).await.is_ok(), "{number}");
}

/// It may be the address of somebody who has never heard of us.
#[tokio::test]
async fn an_address_that_nobody_has_proven_is_told_of_no_device() {
    let world = World::new();
    world.person("ada").await;
    let registration_mail = world.queues.drain_mails();
    assert_eq!(registration_mail.len(), 1);
    sign_in_anew(&world, 1).await;
    assert_eq!(world.queues.drain_mails(), []);
}

#[tokio::test]
async fn many_new_devices_are_not_as_many_mails() {
    let world = World::new();
    world.person("ada").await;
    verify(&world).await;
    for number in 0..4 * limits::MAILS_PER_HOUR {
        sign_in_anew(&world, number).await;
        world.clock.advance(std::time::Duration::from_secs(10));
    }
    let mails = world.queues.drain_mails().len();
    assert_eq!(mails, limits::MAILS_PER_HOUR as usize);
    world.clock.advance(std::time::Duration::from_secs(3_600));
    sign_in_anew(&world, 4 * limits::MAILS_PER_HOUR).await;
    assert_eq!(world.queues.drain_mails().len(), 1);
}

#[tokio::test]
async fn somebody_signs_in_though_no_mail_can_be_queued() {
    let world = World::new();
    world.person("ada").await;
    verify(&world).await;
    world.queues.set_down(true);
    let device = Device { name: Some("phone".into()), address: None };
    let attempt = Login { device, ..login("ada", PASSWORD) };
    assert!(world.accounts().login(attempt).await.is_ok());
}

#[tokio::test]
async fn a_refused_registration_sends_no_mail() {
    let world = World::new();
    world.person("ada").await;
    world.queues.drain_mails();
    let same_name = Registration {
        username: Username::parse("ada").unwrap(),
        email: EmailAddress::parse("eve@example.org").unwrap(),
        ..registration("eve")
    };
    let error = world.registrations().register(same_name).await.err().unwrap();
    assert_eq!(code(&error), "username_taken");
    assert_eq!(world.queues.drain_mails(), []);
}

#[tokio::test]
async fn all_names_of_an_account_are_one_account() {
    let world = World::new();
    world.person("ada").await;
    for number in 0..limits::LOGINS_PER_MINUTE {
        let name = ["ada", "ada@example.org", "Ada@Example.org "][number as usize % 3];
        let error = world.accounts().login(login(name, "wrong password")).await.err().unwrap();
        assert_eq!(code(&error), "invalid_credentials");
    }
    for name in ["ada", "ada@example.org"] {
        let error = world.accounts().login(login(name, PASSWORD)).await.err().unwrap();
        assert_eq!(code(&error), "too_many");
    }
}

/// Who signs in as somebody, or tries to, does not keep them from defending their account.
#[tokio::test]
async fn strangers_who_try_a_name_take_nothing_from_who_is_signed_in() {
    let world = World::new();
    let ada = world.person("ada").await;
    for _ in 0..2 * limits::LOGINS_PER_MINUTE {
        assert!(world.accounts().login(login("ada", "wrong password")).await.is_err());
    }
    let new = password("staple battery horse");
    world.passwords().change(ada, password(PASSWORD), new).await.unwrap();
}

#[tokio::test]
async fn all_that_asks_for_the_password_again_is_counted_together() {
    let world = World::new();
    let ada = world.person("ada").await;
    for _ in 1..limits::LOGINS_PER_MINUTE {
        let wrong = password("wrong password");
        let error = world.passwords().change(ada, wrong, password(PASSWORD)).await.unwrap_err();
        assert_eq!(code(&error), "wrong_password");
    }
    let error = world.two_factor().enrol(ada, password("wrong password")).await.err().unwrap();
    assert_eq!(code(&error), "wrong_password", "the last try");
    let left = world.departures().leave(ada, password(PASSWORD), None).await;
    assert_eq!(code(&left.unwrap_err()), "too_many");
    assert!(world.accounts().login(login("ada", PASSWORD)).await.is_ok());
}
