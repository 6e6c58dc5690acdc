//! Time, chance, hashing and health: what the process itself provides.

use async_trait::async_trait;
use domain::{Password, Timestamp};
use uuid::Uuid;

use super::Failure;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

pub trait Entropy: Send + Sync {
    /// A UUIDv7; greater than every one this process made before.
    fn uuid_v7(&self) -> Uuid;
    /// 256 bits that nobody can guess, as 43 characters of base64url.
    fn secret(&self) -> String;
    /// SHA-256 of such a secret as 64 hex digits: what is stored of it.
    fn digest(&self, secret: &str) -> String;
}

/// argon2id. Slow by design; both methods run off the event loop.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// The PHC string to store.
    async fn hash(&self, password: Password) -> Result<String, Failure>;
    /// With `None` it does the same work against a dummy and answers `false`, so that an unknown
    /// user takes as long as a wrong password.
    async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, Failure>;
    /// Whether this PHC string was made with parameters that are not in use any more.
    fn is_outdated(&self, hash: &str) -> bool;
}

/// Something that the process needs and can ask for its health.
#[async_trait]
pub trait Probe: Send + Sync {
    /// As `GET /health/ready` names it: `postgres`, `dynamodb`, ….
    fn name(&self) -> &'static str;
    async fn check(&self) -> Result<(), Failure>;
}

/// One-time codes of an authenticator app (RFC 6238). Secrets leave only sealed: who reads the
/// database cannot make codes.
pub trait OneTimeCodes: Send + Sync {
    /// A new secret, sealed for this user.
    fn new_secret(&self, user: domain::UserId) -> Result<String, Failure>;
    /// `otpauth://…` for a QR code, and the secret in base32 for typing.
    fn enrolment(
        &self,
        user: domain::UserId,
        sealed_secret: &str,
        account: &str,
    ) -> Result<(String, String), Failure>;
    /// The time step of a right code, at most one step early or late.
    fn check(
        &self,
        user: domain::UserId,
        sealed_secret: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, Failure>;
}

/// What a password must not be.
pub trait PasswordJudge: Send + Sync {
    /// Common, or made of what is known of this person.
    fn is_weak(&self, password: &Password, about: &[&str]) -> bool;
}
