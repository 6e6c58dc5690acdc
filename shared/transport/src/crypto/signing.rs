//! Signing access tokens with Ed25519.
//!
//! The key is derived from a generated secret, so that no script makes keys: the template lets
//! Secrets Manager write 64 random characters, and HKDF-SHA256 turns them into the seed.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{digest, hkdf};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::limits;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use service::Identity;
use service::port::{AccessToken, Clock, Failure, KeyDirectory, PublicKey, TokenSigner};
use tokio::sync::OnceCell;

use super::{Claims, TOKEN_TYPE};

/// Separates this use of the secret from any other one.
const KEY_PURPOSE: &[u8] = b"confab access token signing key v1";
/// Shorter text cannot hold the entropy of a key.
const SECRET_MIN_BYTES: usize = 32;

/// The private key with its public half.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(super) private: EncodingKey,
    pub(super) public: PublicKey,
}

impl SigningKey {
    /// The same secret always gives the same key.
    pub(crate) fn derive(secret: &str) -> Result<Self, Failure> {
        let bug = |what: &'static str| Failure::bug("signing key", what);
        if secret.len() < SECRET_MIN_BYTES {
            return Err(bug("the secret is shorter than 32 characters"));
        }
        let mut seed = [0_u8; 32];
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(secret.as_bytes())
            .expand(&[KEY_PURPOSE], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut seed))
            .map_err(|_| bug("HKDF refused the secret"))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| bug("bad seed"))?;
        let document = pair.to_pkcs8().map_err(|_| bug("cannot be encoded"))?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let kid = thumbprint(&x);
        let private = EncodingKey::from_ed_der(document.as_ref());
        Ok(Self { private, public: PublicKey { kid, x } })
    }
}

/// RFC 7638: the required members in the order of their names, without white space.
pub(super) fn thumbprint(x: &str) -> String {
    let canonical = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
}

pub(crate) struct EddsaSigner {
    key: SigningKey,
    issuer: String,
    audience: String,
    directory: Arc<dyn KeyDirectory>,
    clock: Arc<dyn Clock>,
    is_published: OnceCell<()>,
}

impl EddsaSigner {
    pub(crate) fn new(
        key: SigningKey,
        (issuer, audience): (String, String),
        directory: Arc<dyn KeyDirectory>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { key, issuer, audience, directory, clock, is_published: OnceCell::new() }
    }
}

#[async_trait]
impl TokenSigner for EddsaSigner {
    async fn sign(&self, identity: Identity) -> Result<AccessToken, Failure> {
        self.prepare().await?;
        let now = self.clock.now();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: identity.user_id.to_string(),
            sid: identity.session_id.to_string(),
            iat: now.unix_seconds(),
            exp: now.plus(limits::ACCESS_TOKEN_LIFETIME).unix_seconds(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.key.public.kid.clone());
        let token = jsonwebtoken::encode(&header, &claims, &self.key.private)
            .map_err(|error| Failure::bug("signing key", error))?;
        let expires_in_seconds = limits::ACCESS_TOKEN_LIFETIME.as_secs();
        Ok(AccessToken { token, expires_in_seconds })
    }

    /// Before the first token leaves, whoever will verify it can find the key.
    async fn prepare(&self) -> Result<(), Failure> {
        let publish = || self.directory.publish(self.key.public.clone());
        self.is_published.get_or_try_init(publish).await?;
        Ok(())
    }
}
