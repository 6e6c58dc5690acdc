//! Verifying access tokens: EdDSA, `at+jwt`, a known `kid`, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{Timestamp, limits};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use service::port::{Clock, KeyDirectory, PublicKey, TokenVerifier};
use service::{Caller, Error};
use tokio::sync::Mutex;

use super::{Claims, TOKEN_TYPE};

/// Clocks of two Lambda machines differ by less.
const CLOCK_SKEW_SECONDS: i64 = 60;
/// A token of ours has about 450 bytes; a longer text is not worth decoding.
const TOKEN_MAX_BYTES: usize = 2_048;

pub(crate) struct EddsaVerifier {
    validation: Validation,
    directory: Arc<dyn KeyDirectory>,
    clock: Arc<dyn Clock>,
    known: Mutex<KnownKeys>,
}

#[derive(Default)]
struct KnownKeys {
    by_kid: HashMap<String, DecodingKey>,
    fetched_at: Option<Timestamp>,
}

impl EddsaVerifier {
    pub(crate) fn new(
        (issuer, audience): (String, String),
        directory: Arc<dyn KeyDirectory>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Checked below, against our own clock.
        validation.validate_exp = false;
        Self { validation, directory, clock, known: Mutex::default() }
    }

    /// Keys are fetched for an unknown `kid`, but seldom: a stream of forged tokens must not become
    /// a stream of reads. Known ones are fetched again when they are old, because a key may have
    /// been retired; while that fails, they stay good.
    async fn key(&self, kid: &str) -> Result<DecodingKey, Error> {
        let mut known = self.known.lock().await;
        let found = known.by_kid.get(kid).cloned();
        let now = self.clock.now();
        let enough = match found {
            Some(_) => limits::KEY_CACHE_LIFETIME,
            None => limits::KEY_REFETCH_INTERVAL,
        };
        if known.fetched_at.is_some_and(|at| now.since(at) < enough) {
            return found.ok_or_else(Error::unauthenticated);
        }
        match (self.directory.keys(now).await, found) {
            (Ok(keys), _) => known.by_kid = keys.into_iter().filter_map(decoded).collect(),
            (Err(failure), None) => return Err(failure.into()),
            (Err(failure), Some(_)) => {
                tracing::warn!(error = %failure, "the public keys cannot be fetched again");
            }
        }
        known.fetched_at = Some(now);
        known.by_kid.get(kid).cloned().ok_or_else(Error::unauthenticated)
    }
}

fn decoded(key: PublicKey) -> Option<(String, DecodingKey)> {
    Some((key.kid, DecodingKey::from_ed_components(&key.x).ok()?))
}

#[async_trait]
impl TokenVerifier for EddsaVerifier {
    async fn verify(&self, token: &str) -> Result<Caller, Error> {
        let refused = |_| Error::unauthenticated();
        if token.len() > TOKEN_MAX_BYTES {
            return Err(Error::unauthenticated());
        }
        let header = jsonwebtoken::decode_header(token).map_err(refused)?;
        let is_ours = header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TOKEN_TYPE);
        let Some(kid) = header.kid.filter(|_| is_ours) else {
            return Err(Error::unauthenticated());
        };
        let key = self.key(&kid).await?;
        let data = jsonwebtoken::decode::<Claims>(token, &key, &self.validation);
        let claims = data.map_err(refused)?.claims;
        let now = self.clock.now().unix_seconds();
        if claims.exp <= now || claims.iat > now + CLOCK_SKEW_SECONDS {
            return Err(Error::unauthenticated());
        }
        let user_id = claims.sub.parse().map_err(|_| Error::unauthenticated())?;
        let session_id = claims.sid.parse().map_err(|_| Error::unauthenticated())?;
        Ok(Caller::verified(user_id, session_id))
    }
}
