//! Time that stands still, chance that repeats itself, hashes and tokens that cost nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::{Password, Timestamp, limits};
use service::port::{
    AccessToken, Clock, Entropy, Failure, PasswordHasher, Probe, TokenSigner, TokenVerifier,
};
use service::{Caller, Error, Identity};
use uuid::{Builder, Uuid};

/// 2033-05-18T03:33:20Z, a time that no clock of a test machine has reached: an emulator that
/// deletes what has expired leaves a test's items alone.
pub const NOW_MS: i64 = 2_000_000_000_000;

/// `NOW_MS` plus so many milliseconds.
pub fn at_ms(offset_ms: i64) -> Timestamp {
    let epoch = Timestamp::from_unix_ms(0);
    let at = Timestamp::from_unix_ms(NOW_MS.saturating_add(offset_ms));
    at.or(epoch).unwrap_or_else(|| unreachable!("the epoch is a time"))
}

/// A clock that moves only when a test says so.
pub struct FrozenClock {
    now_ms: AtomicI64,
}

impl FrozenClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { now_ms: AtomicI64::new(NOW_MS) })
    }

    pub fn set(&self, now: Timestamp) {
        self.now_ms.store(now.unix_ms(), Ordering::SeqCst);
    }

    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> Timestamp {
        at_ms(self.now_ms.load(Ordering::SeqCst) - NOW_MS)
    }
}

/// Chance that gives the same values in every run: UUIDs that grow, secrets that differ.
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { seed, drawn: AtomicU64::new(0) })
    }

    fn draw(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::SeqCst)
    }
}

impl Entropy for SeededEntropy {
    fn uuid_v7(&self) -> Uuid {
        let count = self.draw();
        let mut noise = [0; 10];
        noise[2..].copy_from_slice(&hashed(&(self.seed, count)).to_be_bytes());
        let ms = NOW_MS.unsigned_abs() + count;
        Builder::from_unix_timestamp_millis(ms, &noise).into_uuid()
    }

    fn secret(&self) -> String {
        let count = self.draw();
        let hex = hex_of(&("secret", self.seed, count));
        hex.chars().take(43).collect()
    }

    fn digest(&self, secret: &str) -> String {
        hex_of(&("digest", secret))
    }
}

fn hashed(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// 64 hex digits that depend on the value alone.
fn hex_of(value: &impl Hash) -> String {
    (0..4).map(|part| format!("{:016x}", hashed(&(part, value)))).collect()
}

/// Hashes that tell the password, and a count of the work done.
#[derive(Default)]
pub struct FakeHasher {
    verifications: AtomicU64,
    hashings: AtomicU64,
}

impl FakeHasher {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How often a password was compared, against the dummy too.
    pub fn verifications(&self) -> u64 {
        self.verifications.load(Ordering::SeqCst)
    }

    /// How often a password was hashed.
    pub fn hashings(&self) -> u64 {
        self.hashings.load(Ordering::SeqCst)
    }

    /// As it was hashed with the parameters of some years ago.
    pub fn outdated(password: &str) -> String {
        format!("$old${}", hex_of(&password))
    }
}

#[async_trait]
impl PasswordHasher for FakeHasher {
    async fn hash(&self, password: Password) -> Result<String, Failure> {
        self.hashings.fetch_add(1, Ordering::SeqCst);
        Ok(current(&password))
    }

    async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, Failure> {
        self.verifications.fetch_add(1, Ordering::SeqCst);
        let right = [current(&password), Self::outdated(password.reveal())];
        Ok(hash.is_some_and(|hash| right.contains(&hash)))
    }

    fn is_outdated(&self, hash: &str) -> bool {
        hash.starts_with("$old$")
    }
}

fn current(password: &Password) -> String {
    format!("$fake${}", hex_of(&password.reveal()))
}

/// Tokens that are remembered instead of signed.
pub struct FakeTokens {
    clock: Arc<dyn Clock>,
    issued: Mutex<Vec<(Identity, Timestamp)>>,
}

impl FakeTokens {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, issued: Mutex::default() })
    }
}

#[async_trait]
impl TokenSigner for FakeTokens {
    async fn sign(&self, identity: Identity) -> Result<AccessToken, Failure> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let expires_at = self.clock.now().plus(limits::ACCESS_TOKEN_LIFETIME);
        issued.push((identity, expires_at));
        let expires_in_seconds = limits::ACCESS_TOKEN_LIFETIME.as_secs();
        Ok(AccessToken { token: format!("fake-token-{}", issued.len()), expires_in_seconds })
    }
}

#[async_trait]
impl TokenVerifier for FakeTokens {
    async fn verify(&self, token: &str) -> Result<Caller, Error> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let known = token
            .strip_prefix("fake-token-")
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|number| issued.get(number.checked_sub(1)?))
            .filter(|(_, expires_at)| self.clock.now() < *expires_at)
            .ok_or_else(Error::unauthenticated)?;
        Ok(Caller::verified(known.0.user_id, known.0.session_id))
    }
}

/// Something whose health a test decides.
pub struct FakeProbe {
    name: &'static str,
    is_down: AtomicBool,
}

impl FakeProbe {
    pub fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, is_down: AtomicBool::new(false) })
    }

    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

#[async_trait]
impl Probe for FakeProbe {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn check(&self) -> Result<(), Failure> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Failure::unavailable(self.name, "a test took it down"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_grow_and_repeat_with_the_seed() {
        let (one, other) = (SeededEntropy::new(7), SeededEntropy::new(7));
        let made: Vec<_> = (0..100).map(|_| one.uuid_v7()).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.iter().all(|id| id.get_version_num() == 7));
        assert_eq!(made[0], other.uuid_v7());
    }

    #[test]
    fn secrets_differ_and_have_the_length_of_real_ones() {
        let entropy = SeededEntropy::new(1);
        let (one, other) = (entropy.secret(), entropy.secret());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert_eq!(entropy.digest(&one).len(), 64);
        assert_eq!(entropy.digest(&one), SeededEntropy::new(2).digest(&one));
    }

    #[tokio::test]
    async fn a_token_is_valid_until_it_expires() {
        let clock = FrozenClock::new();
        let tokens = FakeTokens::new(clock.clone());
        let id = Uuid::from_u128(1);
        let identity = Identity { user_id: domain::UserId(id), session_id: domain::SessionId(id) };
        let token = tokens.sign(identity).await.unwrap().token;
        assert_eq!(tokens.verify(&token).await.unwrap().user_id(), identity.user_id);
        assert!(tokens.verify("fake-token-0").await.is_err());
        clock.advance(limits::ACCESS_TOKEN_LIFETIME);
        assert!(tokens.verify(&token).await.is_err());
    }
}
