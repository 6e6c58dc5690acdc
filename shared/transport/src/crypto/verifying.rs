//! Verifying access tokens: EdDSA, `at+jwt`, a known `kid`, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{Timestamp, limits};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use service::port::{Clock, KeyDirectory, TokenVerifier};
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

    /// Keys are fetched for an unknown `kid`, at most once a minute: a stream of forged tokens
    /// must not become a stream of reads.
    async fn key(&self, kid: &str) -> Result<DecodingKey, Error> {
        let mut known = self.known.lock().await;
        if let Some(key) = known.by_kid.get(kid) {
            return Ok(key.clone());
        }
        let now = self.clock.now();
        let is_recent =
            known.fetched_at.is_some_and(|at| now.since(at) < limits::KEY_REFETCH_INTERVAL);
        if is_recent {
            return Err(Error::unauthenticated());
        }
        let keys = self.directory.keys().await?;
        known.fetched_at = Some(now);
        let decoded = keys.into_iter().filter_map(|key| {
            let decoding = DecodingKey::from_ed_components(&key.x).ok()?;
            Some((key.kid, decoding))
        });
        known.by_kid = decoded.collect();
        known.by_kid.get(kid).cloned().ok_or_else(Error::unauthenticated)
    }
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
