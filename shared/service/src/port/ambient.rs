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
}

/// Something that the process needs and can ask for its health.
#[async_trait]
pub trait Probe: Send + Sync {
    /// As `GET /health/ready` names it: `postgres`, `dynamodb`, ….
    fn name(&self) -> &'static str;
    async fn check(&self) -> Result<(), Failure>;
}
