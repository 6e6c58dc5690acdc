//! Signing up, signing in, staying signed in, signing out.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{EmailAddress, SessionId, Timestamp, UserId, Username, limits};
use service::port::{
    AccessToken, Erasure, Failure, NewRefreshToken, NewSession, Rotation, SessionStore,
    TokenSigner, TokenVerifier,
};
use service::{Error, Identity, Registration, Registrations, Sessions};
use testkit::history::FakeHistory;
use testkit::world::{PASSWORD, World, caller, login, registration};

fn code(error: &Error) -> &'static str {
    match error {
        Error::Unauthenticated { code, .. } | Error::Conflict { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_signed_up_is_signed_in_and_may_sign_in_by_name_or_address() {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    assert_eq!(ada.user.display_name.as_str(), "ada", "the user name when there is no other");
    let verified = world.tokens.verify(&ada.access.token).await.unwrap();
    assert_eq!(verified, caller(&ada));
    for name in ["ada", " ADA ", "ada@example.org", "Ada@Example.org"] {
        let signed_in = world.accounts().login(login(name, PASSWORD)).await.unwrap();
        assert_eq!(signed_in.user.id, ada.user.id, "{name:?}");
        assert_ne!(signed_in.session_id, ada.session_id);
    }
}

#[tokio::test]
async fn a_name_and_an_address_belong_to_one_person() {
    let world = World::new();
    world.person("ada").await;
    let error = world.registrations().register(registration("ada")).await.err().unwrap();
    assert_eq!(code(&error), "username_taken");
    let email = EmailAddress::parse("ADA@example.org").unwrap();
    let same_address = Registration { email, ..registration("eve") };
    let error = world.registrations().register(same_address).await.err().unwrap();
    assert_eq!(code(&error), "email_taken");
    let email = EmailAddress::parse("eve@example.org").unwrap();
    let username = Username::parse("ADA").unwrap();
    let same_name = Registration { username, email, ..registration("eve") };
    let error = world.registrations().register(same_name).await.err().unwrap();
    assert_eq!(code(&error), "username_taken");
}

#[tokio::test]
async fn an_unknown_user_costs_the_same_work_as_a_wrong_password_and_gets_the_same_answer() {
    let world = World::new();
    world.person("ada").await;
    let wrong = world.accounts().login(login("ada", "wrong password")).await.err().unwrap();
    assert_eq!(world.hasher.verifications(), 1);
    let unknown = world.accounts().login(login("nobody", PASSWORD)).await.err().unwrap();
    assert_eq!(world.hasher.verifications(), 2);
    assert_eq!((code(&wrong), wrong.to_string()), (code(&unknown), unknown.to_string()));
    assert_eq!(code(&wrong), "invalid_credentials");
}

/// A key directory that cannot be reached: no token can be signed.
struct NoKeys;

#[async_trait]
impl TokenSigner for NoKeys {
    async fn sign(&self, _: Identity) -> Result<AccessToken, Failure> {
        Err(Failure::unavailable("dynamodb", "a test took it down"))
    }

    async fn prepare(&self) -> Result<(), Failure> {
        Err(Failure::unavailable("dynamodb", "a test took it down"))
    }
}

#[tokio::test]
async fn who_got_no_token_has_no_account_yet_and_may_try_again() {
    let world = World::new();
    let broken = Registrations { signer: Arc::new(NoKeys), ..world.registrations() };
    let error = broken.register(registration("ada")).await.err().unwrap();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(world.registrations().register(registration("ada")).await.is_ok());
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_and_spends_the_old_one() {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    let next = world.sessions().refresh(&ada.refresh_token).await.unwrap();
    assert_eq!((next.session_id, next.user.id), (ada.session_id, ada.user.id));
    assert_ne!(next.refresh_token, ada.refresh_token);
    // The answer may have been lost: for ten seconds the old one gives a sibling.
    world.clock.advance(limits::REFRESH_SIBLING_WINDOW);
    let sibling = world.sessions().refresh(&ada.refresh_token).await.unwrap();
    for token in [&next.refresh_token, &sibling.refresh_token] {
        assert!(world.sessions().refresh(token).await.is_ok());
    }
}

/// The account ends as soon as a token is exchanged.
struct Ending(Arc<FakeHistory>);

#[async_trait]
impl SessionStore for Ending {
    async fn open(&self, session: NewSession, proven_hash: &str) -> Result<bool, Failure> {
        self.0.open(session, proven_hash).await
    }

    async fn holder(&self, digest: &str, now: Timestamp) -> Result<Option<UserId>, Failure> {
        self.0.holder(digest, now).await
    }

    async fn rotate(
        &self,
        presented: &str,
        fresh: NewRefreshToken,
        now: Timestamp,
    ) -> Result<Rotation, Failure> {
        let rotation = self.0.rotate(presented, fresh, now).await?;
        if let Rotation::Rotated(identity) = &rotation {
            self.0.end_account(identity.user_id, now).await?;
        }
        Ok(rotation)
    }

    async fn revoke(&self, session_id: SessionId, now: Timestamp) -> Result<(), Failure> {
        self.0.revoke(session_id, now).await
    }

    async fn is_active(&self, identity: Identity) -> Result<bool, Failure> {
        self.0.is_active(identity).await
    }
}

#[tokio::test]
async fn an_account_that_ends_while_it_is_renewed_is_not_renewed() {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    let ending = Arc::new(Ending(world.history.clone()));
    let sessions = Sessions { sessions: ending, ..world.sessions() };
    let error = sessions.refresh(&ada.refresh_token).await.err().unwrap();
    assert_eq!(code(&error), "refresh_token_invalid");
}

#[tokio::test]
async fn an_outage_spends_no_refresh_token_and_so_ends_no_session() {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    let broken = Sessions { signer: Arc::new(NoKeys), ..world.sessions() };
    for _ in 0..3 {
        let error = broken.refresh(&ada.refresh_token).await.err().unwrap();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        world.clock.advance(limits::REFRESH_SIBLING_WINDOW * 2);
    }
    let next = world.sessions().refresh(&ada.refresh_token).await.unwrap();
    assert_eq!(next.session_id, ada.session_id);
}

#[tokio::test]
async fn a_token_used_twice_ends_its_session_and_its_sockets_and_no_other() {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    let elsewhere = world.accounts().login(login("ada", PASSWORD)).await.unwrap();
    let phone = world.socket(caller(&ada), "phone").await;
    let tablet = world.socket(caller(&ada), "tablet").await;
    let laptop = world.socket(caller(&elsewhere), "laptop").await;
    let next = world.sessions().refresh(&ada.refresh_token).await.unwrap();
    world.clock.advance(limits::REFRESH_SIBLING_WINDOW * 2);

    let error = world.sessions().refresh(&ada.refresh_token).await.err().unwrap();

    assert_eq!(code(&error), "refresh_token_reused");
    assert!(world.pusher.is_disconnected(&phone) && world.pusher.is_disconnected(&tablet));
    assert!(!world.pusher.is_disconnected(&laptop));
    let error = world.sessions().refresh(&next.refresh_token).await.err().unwrap();
    assert_eq!(code(&error), "refresh_token_invalid", "the whole family is revoked");
    assert!(world.sessions().refresh(&elsewhere.refresh_token).await.is_ok());
}

#[tokio::test]
async fn hostile_expired_and_unknown_refresh_tokens_are_refused_alike() {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    world.clock.advance(limits::REFRESH_TOKEN_LIFETIME);
    let long = "x".repeat(100_000);
    for token in [ada.refresh_token.as_str(), "", "nonsense", "\u{0}", &long] {
        let error = world.sessions().refresh(token).await.err().unwrap();
        assert_eq!(code(&error), "refresh_token_invalid");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_its_sockets_however_often() {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    let phone = world.socket(caller(&ada), "phone").await;
    for _ in 0..2 {
        world.sign_out().logout(caller(&ada)).await.unwrap();
    }
    assert!(world.pusher.is_disconnected(&phone));
    assert!(world.sessions().refresh(&ada.refresh_token).await.is_err());
}
