//! Access tokens and the keys that sign them.

use async_trait::async_trait;
use domain::Timestamp;

use super::Failure;
use crate::{Caller, Error, Identity};

/// A signed token and how long it lives.
#[derive(Clone)]
pub struct AccessToken {
    pub token: String,
    pub expires_in_seconds: u64,
}

/// Signs access tokens (EdDSA, `typ: at+jwt`, `kid`).
#[async_trait]
pub trait TokenSigner: Send + Sync {
    /// The key is in the [`KeyDirectory`] before the first token leaves.
    async fn sign(&self, identity: Identity) -> Result<AccessToken, Failure>;
    /// Fetches what signing needs, so that `sign` does not fail after something was spent for it.
    async fn prepare(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// The only maker of a [`Caller`].
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    async fn verify(&self, token: &str) -> Result<Caller, Error>;
}

/// One Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    /// Its RFC 7638 thumbprint.
    pub kid: String,
    /// 32 bytes as base64url without padding: the `x` of the JWK.
    pub x: String,
}

/// Where verifiers find the public keys, kept in DynamoDB.
#[async_trait]
pub trait KeyDirectory: Send + Sync {
    /// Idempotent; keys of others stay. One that was given an end has none any more.
    async fn publish(&self, key: PublicKey) -> Result<(), Failure>;
    /// Without those that are over: operators give an old key an end when they rotate.
    async fn keys(&self, now: Timestamp) -> Result<Vec<PublicKey>, Failure>;
}
