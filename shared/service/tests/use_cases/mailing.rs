//! Proving an address by a mail, and the worker that sends mails.

use std::time::Duration;

use domain::{EmailAddress, SessionId, UserId, limits};
use service::port::{Entropy, MailJob};
use service::{Accounts, Error, Identity, Sessions, SignedIn};
use testkit::world::{PASSWORD, World, caller, login, registration};
use uuid::Uuid;

use crate::steps::code;

async fn ada(world: &World) -> SignedIn {
    world.registrations().register(registration("ada")).await.unwrap()
}

/// The token of the one mail that waits.
async fn token(world: &World) -> String {
    let mut mails = world.deliver_mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    mails.remove(0).text
}

async fn is_verified(world: &World, signed_in: &SignedIn) -> bool {
    world.profiles().me(caller(signed_in)).await.unwrap().email_verified
}

#[tokio::test]
async fn an_address_is_proven_by_the_token_in_its_mail_once() {
    let world = World::new();
    let ada = ada(&world).await;
    let mails = world.deliver_mails().await;
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, "ada@example.org"));
    assert!(!is_verified(&world, &ada).await);
    world.email_proofs().verify(&mails[0].text).await.unwrap();
    assert!(is_verified(&world, &ada).await);
    let error = world.email_proofs().verify(&mails[0].text).await.unwrap_err();
    assert_eq!(code(&error), "token_invalid");
}

#[tokio::test]
async fn unknown_used_expired_and_guessed_tokens_are_refused_alike() {
    let world = World::new();
    ada(&world).await;
    let token = token(&world).await;
    let digest = world.entropy.digest(&token);
    world.clock.advance(limits::EMAIL_TOKEN_LIFETIME);
    let long = "x".repeat(100_000);
    let mut answers = vec![];
    for hostile in [token.as_str(), &digest, "", "nonsense", "\u{0}", &long] {
        let error = world.email_proofs().verify(hostile).await.unwrap_err();
        assert!(matches!(error, Error::BadRequest { .. }), "{error:?}");
        answers.push((code(&error), error.to_string()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_token_is_good_until_the_second_it_expires() {
    let world = World::new();
    let ada = ada(&world).await;
    let token = token(&world).await;
    world.clock.advance(limits::EMAIL_TOKEN_LIFETIME - Duration::from_millis(1));
    world.email_proofs().verify(&token).await.unwrap();
    assert!(is_verified(&world, &ada).await);
}

#[tokio::test]
async fn another_mail_makes_the_one_before_it_worthless() {
    let world = World::new();
    let ada = ada(&world).await;
    let first = token(&world).await;
    world.email_proof_mails().resend(caller(&ada)).await.unwrap();
    let second = token(&world).await;
    assert_eq!(code(&world.email_proofs().verify(&first).await.unwrap_err()), "token_invalid");
    world.email_proofs().verify(&second).await.unwrap();
    world.email_proof_mails().resend(caller(&ada)).await.unwrap();
    assert_eq!(world.queues.drain_mails(), [], "the address is verified");
}

#[tokio::test]
async fn nobody_is_flooded_with_mails() {
    let world = World::new();
    let ada = ada(&world).await;
    for _ in 0..limits::MAILS_PER_HOUR {
        world.email_proof_mails().resend(caller(&ada)).await.unwrap();
    }
    let error = world.email_proof_mails().resend(caller(&ada)).await.unwrap_err();
    assert!(matches!(error, Error::TooMany { retry_after_ms: 1.. }), "{error:?}");
    world.clock.advance(Duration::from_secs(3_600));
    world.email_proof_mails().resend(caller(&ada)).await.unwrap();
}

#[tokio::test]
async fn where_it_is_demanded_nobody_signs_in_before_the_address_is_proven() {
    let world = World::new();
    ada(&world).await;
    let strict = Accounts { requires_verified_email: true, ..world.accounts() };
    let error = strict.login(login("ada", PASSWORD)).await.err().unwrap();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert_eq!(code(&error), "email_not_verified");
    // Who does not know the password learns nothing of the address.
    let error = strict.login(login("ada", "wrong password")).await.err().unwrap();
    assert_eq!(code(&error), "invalid_credentials");
    let token = token(&world).await;
    world.email_proofs().verify(&token).await.unwrap();
    assert!(strict.login(login("ada", PASSWORD)).await.is_ok());
}

#[tokio::test]
async fn an_account_is_made_though_no_mail_can_be_queued() {
    let world = World::new();
    world.queues.set_down(true);
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    world.queues.set_down(false);
    world.email_proof_mails().resend(caller(&ada)).await.unwrap();
    let token = token(&world).await;
    world.email_proofs().verify(&token).await.unwrap();
}

#[tokio::test]
async fn a_mail_that_could_not_be_sent_is_sent_with_the_next_try() {
    let world = World::new();
    ada(&world).await;
    let job = world.queues.drain_mails().remove(0);
    world.mailer.set_down(true);
    assert!(world.post_office().send(job.clone()).await.is_err(), "it comes round again");
    world.mailer.set_down(false);
    world.post_office().send(job).await.unwrap();
    let token = world.mailer.drain().remove(0).text;
    world.email_proofs().verify(&token).await.unwrap();
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_done() {
    let world = World::new();
    let ada = ada(&world).await;
    let job = world.queues.drain_mails().remove(0);
    world.mailer.set_refusing(true);
    world.post_office().send(job).await.unwrap();
    world.mailer.set_refusing(false);
    assert_eq!(world.mailer.drain(), []);
    world.email_proof_mails().resend(caller(&ada)).await.unwrap();
    assert_eq!(world.queues.drain_mails().len(), 1, "another mail can be asked for");
}

#[tokio::test]
async fn a_mail_that_comes_twice_leaves_one_token() {
    let world = World::new();
    ada(&world).await;
    let job = world.queues.drain_mails().remove(0);
    for _ in 0..2 {
        world.post_office().send(job.clone()).await.unwrap();
    }
    let mails = world.mailer.drain();
    let [first, second] = [&mails[0].text, &mails[1].text];
    assert!(world.email_proofs().verify(first).await.is_err());
    world.email_proofs().verify(second).await.unwrap();
}

#[tokio::test]
async fn mails_to_nobody_are_done_without_sending() {
    let world = World::new();
    let email = EmailAddress::parse("nobody@example.org").unwrap();
    let user_id = UserId(Uuid::from_u128(1));
    let session_id = SessionId(Uuid::from_u128(2));
    let sign_in = MailJob::NewSignIn { identity: Identity { user_id, session_id } };
    for job in [MailJob::VerifyEmail { user_id }, MailJob::ResetPassword { email }, sign_in] {
        world.post_office().send(job).await.unwrap();
    }
    assert_eq!(world.mailer.drain(), []);
}

#[tokio::test]
async fn a_session_that_has_ended_asks_for_no_mail() {
    let world = World::new();
    let ada = ada(&world).await;
    world.queues.drain_mails();
    world.sign_out().logout(caller(&ada)).await.unwrap();
    let error = world.email_proof_mails().resend(caller(&ada)).await.unwrap_err();
    assert_eq!(code(&error), "unauthenticated");
    assert_eq!(world.queues.drain_mails(), []);
}

#[tokio::test]
async fn a_sign_in_is_told_to_an_address_that_was_proven_and_to_no_other() {
    let world = World::new();
    let ada = ada(&world).await;
    let proof = token(&world).await;
    let sign_in = || MailJob::NewSignIn { identity: caller(&ada).identity() };
    world.post_office().send(sign_in()).await.unwrap();
    assert_eq!(world.mailer.drain(), []);
    world.email_proofs().verify(&proof).await.unwrap();
    world.post_office().send(sign_in()).await.unwrap();
    assert_eq!(world.mailer.drain().len(), 1);
}

/// The token came by that very mailbox. Without this an address would be lost to whoever
/// registered with it first.
#[tokio::test]
async fn who_resets_the_password_has_proven_the_address() {
    let world = World::new();
    let signed_in = ada(&world).await;
    world.queues.drain_mails();
    world.clock.advance(limits::EMAIL_TOKEN_LIFETIME * 2);
    let strict = Accounts { requires_verified_email: true, ..world.accounts() };
    assert!(strict.login(login("ada", PASSWORD)).await.is_err());
    let email = EmailAddress::parse("ada@example.org").unwrap();
    world.forgotten_passwords().forgot(email, None).await.unwrap();
    let token = token(&world).await;
    let new = crate::steps::password("staple battery horse");
    world.passwords().reset(&token, new, None).await.unwrap();
    let owner = strict.login(login("ada", "staple battery horse")).await.unwrap();
    assert!(owner.user.email_verified && owner.user.id == signed_in.user.id);
}

#[tokio::test]
async fn the_erased_get_no_mail() {
    let world = World::new();
    let ada = ada(&world).await;
    let proof = token(&world).await;
    world.email_proofs().verify(&proof).await.unwrap();
    let device = service::Device { name: Some("phone".into()), address: None };
    let attempt = service::Login { device, ..login("ada", PASSWORD) };
    assert!(world.accounts().login(attempt).await.is_ok());
    let email = EmailAddress::parse("ada@example.org").unwrap();
    world.forgotten_passwords().forgot(email, None).await.unwrap();
    let jobs = world.queues.drain_mails();
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    let password = crate::steps::password(PASSWORD);
    world.departures().leave(caller(&ada), password, None).await.unwrap();
    for job in jobs {
        world.post_office().send(job).await.unwrap();
    }
    assert_eq!(world.mailer.drain(), []);
}

#[tokio::test]
async fn where_it_is_demanded_a_session_is_renewed_once_the_address_is_proven() {
    let world = World::new();
    let ada = ada(&world).await;
    let strict = || Sessions { requires_verified_email: true, ..world.sessions() };
    for _ in 0..3 {
        let error = strict().refresh(&ada.refresh_token).await.err().unwrap();
        assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
        assert_eq!(code(&error), "email_not_verified");
        world.clock.advance(limits::REFRESH_SIBLING_WINDOW * 2);
    }
    let error = strict().refresh("nonsense").await.err().unwrap();
    assert_eq!(code(&error), "refresh_token_invalid");
    let token = token(&world).await;
    world.email_proofs().verify(&token).await.unwrap();
    let renewed = strict().refresh(&ada.refresh_token).await.unwrap();
    assert_eq!(renewed.session_id, ada.session_id, "nothing was spent");
    world.clock.advance(limits::REFRESH_SIBLING_WINDOW * 2);
    let error = strict().refresh(&ada.refresh_token).await.err().unwrap();
    assert_eq!(code(&error), "refresh_token_reused");
}
