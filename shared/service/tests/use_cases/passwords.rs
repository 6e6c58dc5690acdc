//! Forgetting a password, resetting it and changing it.

use std::time::Duration;

use domain::{ConnectionId, EmailAddress, limits};
use service::port::Entropy;
use service::{Error, SignedIn};
use testkit::world::{PASSWORD, World, caller, login, registration};

use crate::steps::{code, farewell, password};

const NEW: &str = "staple battery horse";

struct Scene {
    world: World,
    /// On the phone, and on the laptop.
    sessions: [SignedIn; 2],
    sockets: [ConnectionId; 2],
}

async fn scene() -> Scene {
    let world = World::new();
    let phone = world.registrations().register(registration("ada")).await.unwrap();
    let laptop = world.accounts().login(login("ada", PASSWORD)).await.unwrap();
    let sockets = [
        world.socket(caller(&phone), "phone").await,
        world.socket(caller(&laptop), "laptop").await,
    ];
    world.queues.drain_mails();
    Scene { world, sessions: [phone, laptop], sockets }
}

fn email(raw: &str) -> EmailAddress {
    EmailAddress::parse(raw).unwrap()
}

impl Scene {
    async fn token(&self) -> String {
        self.world.forgotten_passwords().forgot(email("ada@example.org"), None).await.unwrap();
        let mut mails = self.world.deliver_mails().await;
        assert_eq!((mails.len(), mails[0].subject.as_str()), (1, "reset"));
        mails.remove(0).text
    }

    async fn may_sign_in(&self, with: &str) -> bool {
        self.world.clock.advance(Duration::from_secs(60));
        self.world.accounts().login(login("ada", with)).await.is_ok()
    }
}

#[tokio::test]
async fn a_reset_sets_the_password_and_ends_every_session_and_its_sockets() {
    let scene = scene().await;
    let token = scene.token().await;
    scene.world.passwords().reset(&token, password(NEW), None).await.unwrap();
    assert!(scene.may_sign_in(NEW).await && !scene.may_sign_in(PASSWORD).await);
    for (session, socket) in scene.sessions.iter().zip(&scene.sockets) {
        assert_eq!(farewell(&scene.world, socket), Some("password_reset"));
        let error = scene.world.sessions().refresh(&session.refresh_token).await.err().unwrap();
        assert_eq!(code(&error), "refresh_token_invalid");
        let error = scene.world.tickets().issue(caller(session)).await.unwrap_err();
        assert_eq!(code(&error), "unauthenticated");
    }
    let error = scene.world.passwords().reset(&token, password(PASSWORD), None).await.unwrap_err();
    assert_eq!(code(&error), "token_invalid", "it is spent");
    assert!(scene.may_sign_in(NEW).await);
}

/// A peer's mistake: "a password reset token whose expiry is stored and never checked".
#[tokio::test]
async fn a_reset_token_whose_time_is_over_resets_nothing() {
    let scene = scene().await;
    let token = scene.token().await;
    scene.world.clock.advance(limits::PASSWORD_TOKEN_LIFETIME);
    let error = scene.world.passwords().reset(&token, password(NEW), None).await.unwrap_err();
    assert_eq!(code(&error), "token_invalid");
    assert!(scene.may_sign_in(PASSWORD).await && !scene.may_sign_in(NEW).await);
    assert_eq!(farewell(&scene.world, &scene.sockets[0]), None);
}

/// The token is spent, the sockets could not be reached, and nobody can reset again with it.
#[tokio::test]
async fn a_socket_that_outlived_a_reset_ends_with_its_next_heartbeat() {
    let scene = scene().await;
    let token = scene.token().await;
    scene.world.live.set_down(true);
    let error = scene.world.passwords().reset(&token, password(NEW), None).await.unwrap_err();
    assert_eq!(code(&error), "unavailable");
    scene.world.live.set_down(false);
    for socket in &scene.sockets {
        assert_eq!(farewell(&scene.world, socket), None, "it could not be told");
        let error = scene.world.heartbeats().beat(socket, &[]).await.unwrap_err();
        assert_eq!(code(&error), "unauthenticated");
        assert_eq!(farewell(&scene.world, socket), Some("session_revoked"));
    }
}

/// A peer's mistake: "404 on recovery for an unknown address".
#[tokio::test]
async fn an_unknown_address_gets_the_same_answer_for_the_same_work() {
    let scene = scene().await;
    let work = || {
        let hasher = &scene.world.hasher;
        (hasher.verifications(), hasher.hashings(), scene.world.queues.drain_mails().len())
    };
    let before = work();
    scene.world.forgotten_passwords().forgot(email("nobody@example.org"), None).await.unwrap();
    let for_nobody = work();
    scene.world.forgotten_passwords().forgot(email("ada@example.org"), None).await.unwrap();
    let for_ada = work();
    assert_eq!(for_nobody, for_ada, "one job each, and no hash");
    assert_eq!((for_ada.2, before.2), (1, 0));
    scene.world.forgotten_passwords().forgot(email("nobody@example.org"), None).await.unwrap();
    assert_eq!(scene.world.deliver_mails().await, [], "nobody gets a mail");
}

#[tokio::test]
async fn known_and_unknown_addresses_are_throttled_alike() {
    let scene = scene().await;
    for address in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..limits::MAILS_PER_HOUR {
            scene.world.forgotten_passwords().forgot(email(address), None).await.unwrap();
        }
        let error =
            scene.world.forgotten_passwords().forgot(email(address), None).await.unwrap_err();
        assert!(matches!(error, Error::TooMany { retry_after_ms: 1.. }), "{error:?}");
    }
    for number in 0..limits::MAILS_PER_HOUR {
        let address = email(&format!("person{number}@example.org"));
        scene.world.forgotten_passwords().forgot(address, Some("192.0.2.1")).await.unwrap();
    }
    let next = || email("next@example.org");
    let error =
        scene.world.forgotten_passwords().forgot(next(), Some("192.0.2.1")).await.unwrap_err();
    assert!(matches!(error, Error::TooMany { .. }), "one place asks for many: {error:?}");
    scene.world.forgotten_passwords().forgot(next(), Some("192.0.2.2")).await.unwrap();
}

#[tokio::test]
async fn guessed_tokens_reset_nothing() {
    let scene = scene().await;
    let token = scene.token().await;
    let digest = scene.world.entropy.digest(&token);
    for hostile in [digest.as_str(), "", "nonsense", "\u{0}", &"x".repeat(100_000)] {
        let error = scene.world.passwords().reset(hostile, password(NEW), None).await.unwrap_err();
        assert_eq!(code(&error), "token_invalid", "{hostile:.20}");
    }
    assert!(scene.may_sign_in(PASSWORD).await);
}

#[tokio::test]
async fn a_token_for_an_address_resets_no_password_and_the_other_way_round() {
    let scene = scene().await;
    let reset = scene.token().await;
    scene.world.email_proof_mails().resend(caller(&scene.sessions[0])).await.unwrap();
    let proof = scene.world.deliver_mails().await.remove(0).text;
    let error = scene.world.passwords().reset(&proof, password(NEW), None).await.unwrap_err();
    assert_eq!(code(&error), "token_invalid");
    let error = scene.world.email_proofs().verify(&reset).await.unwrap_err();
    assert_eq!(code(&error), "token_invalid");
    scene.world.passwords().reset(&reset, password(NEW), None).await.unwrap();
}

#[tokio::test]
async fn a_weak_password_spends_no_token() {
    let scene = scene().await;
    let token = scene.token().await;
    let error =
        scene.world.passwords().reset(&token, password("password1"), None).await.unwrap_err();
    assert_eq!(code(&error), "weak_password");
    scene.world.passwords().reset(&token, password(NEW), None).await.unwrap();
}

#[tokio::test]
async fn a_change_ends_the_other_sessions_and_leaves_this_one() {
    let scene = scene().await;
    let [phone, laptop] = &scene.sessions;
    let change = async |current, new| {
        let passwords = scene.world.passwords();
        passwords.change(caller(phone), password(current), password(new)).await
    };
    let error = change("wrong password", NEW).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(code(&error), "wrong_password");
    let error = change(PASSWORD, "password1").await.unwrap_err();
    assert_eq!(code(&error), "weak_password");
    let error = change(PASSWORD, "it is ada of course").await.unwrap_err();
    assert_eq!(code(&error), "weak_password", "made of what is known of her");
    assert_eq!(farewell(&scene.world, &scene.sockets[1]), None);
    change(PASSWORD, NEW).await.unwrap();
    assert_eq!(farewell(&scene.world, &scene.sockets[0]), None);
    assert_eq!(farewell(&scene.world, &scene.sockets[1]), Some("password_changed"));
    assert!(scene.world.sessions().refresh(&phone.refresh_token).await.is_ok());
    assert!(scene.world.sessions().refresh(&laptop.refresh_token).await.is_err());
    assert!(scene.may_sign_in(NEW).await && !scene.may_sign_in(PASSWORD).await);
}

#[tokio::test]
async fn who_has_an_old_access_token_of_an_ended_session_changes_nothing() {
    let scene = scene().await;
    let [phone, laptop] = &scene.sessions;
    scene.world.sign_out().logout(caller(laptop)).await.unwrap();
    let passwords = scene.world.passwords();
    let error = passwords.change(caller(laptop), password(PASSWORD), password(NEW)).await;
    assert_eq!(code(&error.unwrap_err()), "unauthenticated");
    assert!(scene.world.sessions().refresh(&phone.refresh_token).await.is_ok());
}

#[tokio::test]
async fn the_current_password_is_not_guessed_from_an_open_session() {
    let scene = scene().await;
    let passwords = scene.world.passwords();
    scene.world.clock.advance(Duration::from_secs(60));
    let guess = async |raw| {
        let phone = caller(&scene.sessions[0]);
        passwords.change(phone, password(raw), password(NEW)).await.unwrap_err()
    };
    for _ in 0..limits::LOGINS_PER_MINUTE {
        assert_eq!(code(&guess("wrong password").await), "wrong_password");
    }
    assert_eq!(code(&guess(PASSWORD).await), "too_many");
}

#[tokio::test]
async fn an_address_that_tries_many_tokens_waits_and_no_hash_is_made_for_it() {
    let scene = scene().await;
    let token = scene.token().await;
    let passwords = scene.world.passwords();
    let attempt =
        async |token: &str, address| passwords.reset(token, password(NEW), Some(address)).await;
    let hashings = scene.world.hasher.hashings();
    for _ in 0..limits::LOGINS_PER_MINUTE {
        let error = attempt("nonsense", "192.0.2.1").await.unwrap_err();
        assert_eq!(code(&error), "token_invalid");
    }
    assert_eq!(scene.world.hasher.hashings(), hashings, "hashing is slow");
    assert_eq!(code(&attempt(&token, "192.0.2.1").await.unwrap_err()), "too_many");
    attempt(&token, "192.0.2.2").await.unwrap();
}

#[tokio::test]
async fn a_reset_to_what_is_known_of_a_person_is_weak_and_only_for_who_has_the_token() {
    let scene = scene().await;
    let token = scene.token().await;
    let passwords = scene.world.passwords();
    let attempt = async |token: &str| {
        let error = passwords.reset(token, password("it is ada of course"), None).await;
        code(&error.unwrap_err())
    };
    assert_eq!(attempt(&token).await, "weak_password");
    assert_eq!(attempt("nonsense").await, "token_invalid");
    passwords.reset(&token, password(NEW), None).await.unwrap();
}

/// Somebody who asks for many mails does not keep the owner from asking for one.
#[tokio::test]
async fn who_is_stopped_for_their_address_uses_up_nothing_of_others() {
    let scene = scene().await;
    let passwords = scene.world.forgotten_passwords();
    for number in 0..10 * limits::MAILS_PER_HOUR {
        let victim = if number < limits::MAILS_PER_HOUR { "other" } else { "ada" };
        let victim = email(&format!("{victim}@example.org"));
        let _ = passwords.forgot(victim, Some("192.0.2.1")).await;
    }
    passwords.forgot(email("ada@example.org"), Some("192.0.2.2")).await.unwrap();
}
