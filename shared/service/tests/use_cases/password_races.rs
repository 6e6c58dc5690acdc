//! What was under way when a password was set.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::{EmailAddress, Password, Timestamp, TokenBucket};
use service::port::{Failure, PasswordHasher, PasswordStore, RateLimiter};
use service::{Accounts, PasswordProof, Passwords};
use testkit::ambient::FakeHasher;
use testkit::world::{PASSWORD, World, login};

use crate::steps::{code, password};

const NEW: &str = "staple battery horse";

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Hashing takes long enough for something else to happen, once.
struct Slow {
    world: Arc<World>,
    after_comparing: Mutex<Option<Work>>,
    after_hashing: Mutex<Option<Work>>,
}

impl Slow {
    fn new(world: &Arc<World>) -> Self {
        let (world, after_comparing, after_hashing) = (world.clone(), None.into(), None.into());
        Self { world, after_comparing, after_hashing }
    }

    fn comparing(world: &Arc<World>, work: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        let work: Work = Box::pin(work);
        Arc::new(Self { after_comparing: Some(work).into(), ..Self::new(world) })
    }

    fn hashing(world: &Arc<World>, work: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        let work: Work = Box::pin(work);
        Arc::new(Self { after_hashing: Some(work).into(), ..Self::new(world) })
    }
}

async fn run(work: &Mutex<Option<Work>>) {
    let work = work.lock().unwrap().take();
    if let Some(work) = work {
        work.await;
    }
}

#[async_trait]
impl PasswordHasher for Slow {
    async fn hash(&self, password: Password) -> Result<String, Failure> {
        let hash = self.world.hasher.hash(password).await;
        run(&self.after_hashing).await;
        hash
    }

    async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, Failure> {
        let is_right = self.world.hasher.verify(password, hash).await;
        run(&self.after_comparing).await;
        is_right
    }

    fn is_outdated(&self, hash: &str) -> bool {
        self.world.hasher.is_outdated(hash)
    }
}

/// The owner, with the mail in her hands.
async fn reset(world: Arc<World>, token: String) {
    world.passwords().reset(&token, password(NEW), None).await.unwrap();
}

/// Ada, and a token that resets her password.
async fn scene() -> (Arc<World>, service::Caller, String) {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    world.queues.drain_mails();
    let email = EmailAddress::parse("ada@example.org").unwrap();
    world.forgotten_passwords().forgot(email, None).await.unwrap();
    let token = world.deliver_mails().await.remove(0).text;
    (world, ada, token)
}

async fn may_sign_in(world: &World, with: &str) -> bool {
    world.accounts().login(login("ada", with)).await.is_ok()
}

#[tokio::test]
async fn a_sign_in_that_began_before_the_reset_does_not_come_to_be() {
    let (world, _, token) = scene().await;
    let slow = Slow::comparing(&world, reset(world.clone(), token));
    let accounts = Accounts { hasher: slow, ..world.accounts() };
    let error = accounts.login(login("ada", PASSWORD)).await.err().unwrap();
    assert_eq!(code(&error), "invalid_credentials");
    assert!(may_sign_in(&world, NEW).await);
    let theirs = world.accounts().login(login("ada", NEW)).await.unwrap();
    let listed = world.session_list().list(testkit::world::caller(&theirs)).await.unwrap();
    assert_eq!(listed.len(), 2, "those of the new password");
}

#[tokio::test]
async fn a_change_that_began_before_the_reset_changes_nothing() {
    let (world, ada, token) = scene().await;
    let slow = Slow::hashing(&world, reset(world.clone(), token));
    let proof = PasswordProof { hasher: slow, ..world.password_proof() };
    let passwords = Passwords { proof, ..world.passwords() };
    let stolen = password("what the thief wants");
    let error = passwords.change(ada, password(PASSWORD), stolen).await.unwrap_err();
    assert_eq!(code(&error), "wrong_password");
    assert!(may_sign_in(&world, NEW).await);
    assert!(!may_sign_in(&world, "what the thief wants").await);
}

#[tokio::test]
async fn two_who_sign_in_while_an_old_hash_is_renewed_both_get_in() {
    let (world, ada, _) = scene().await;
    let current = world.history.hash_of(ada.user_id()).await.unwrap().unwrap();
    let old = FakeHasher::outdated(PASSWORD);
    assert!(world.history.rehash(ada.user_id(), &current, &old).await.unwrap());
    let other = world.clone();
    let faster = async move { assert!(may_sign_in(&other, PASSWORD).await) };
    let slow = Slow::hashing(&world, faster);
    let accounts = Accounts { hasher: slow, ..world.accounts() };
    assert!(accounts.login(login("ada", PASSWORD)).await.is_ok());
}

#[tokio::test]
async fn an_old_hash_is_not_renewed_over_a_password_that_was_reset() {
    let (world, ada, token) = scene().await;
    let current = world.history.hash_of(ada.user_id()).await.unwrap().unwrap();
    let old = FakeHasher::outdated(PASSWORD);
    assert!(world.history.rehash(ada.user_id(), &current, &old).await.unwrap());
    let slow = Slow::hashing(&world, reset(world.clone(), token));
    let accounts = Accounts { hasher: slow, ..world.accounts() };
    let error = accounts.login(login("ada", PASSWORD)).await.err().unwrap();
    assert_eq!(code(&error), "invalid_credentials");
    assert!(may_sign_in(&world, NEW).await);
}

/// Buckets that are counted.
struct Counting(Arc<World>, AtomicU64);

#[async_trait]
impl RateLimiter for Counting {
    async fn take(
        &self,
        scope: &str,
        bucket: TokenBucket,
        count: u32,
        now: Timestamp,
    ) -> Result<Result<Timestamp, u64>, Failure> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.live.take(scope, bucket, count, now).await
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_takes_as_many_calls_as_another() {
    let (world, ..) = scene().await;
    let counting = Arc::new(Counting(world.clone(), AtomicU64::new(0)));
    let accounts = Accounts { limiter: counting.clone(), ..world.accounts() };
    let mut calls = vec![];
    for name in ["ada", "ada@example.org", "nobody", "nobody@example.org", "", "\u{0}"] {
        let before = (counting.1.load(Ordering::SeqCst), world.hasher.verifications());
        let error = accounts.login(login(name, "wrong password")).await.err().unwrap();
        assert_eq!(code(&error), "invalid_credentials");
        let after = (counting.1.load(Ordering::SeqCst), world.hasher.verifications());
        calls.push((after.0 - before.0, after.1 - before.1));
    }
    assert_eq!(calls, [(1, 1); 6]);
}
