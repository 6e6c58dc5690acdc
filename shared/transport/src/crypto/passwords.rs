//! argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one lane.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use async_trait::async_trait;
use domain::Password;
use service::port::{Failure, PasswordHasher};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

#[derive(Default)]
pub(crate) struct Argon2Hasher {
    /// The hash that an unknown user's password is compared with.
    dummy: OnceCell<String>,
}

fn argon2() -> Result<Argon2<'static>, argon2::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn hash(password: Password) -> Result<String, Failure> {
    let work = move || -> Result<String, Failure> {
        let argon2 = argon2().map_err(|error| Failure::bug("argon2", error))?;
        let hash = argon2.hash_password(password.reveal().as_bytes());
        Ok(hash.map_err(|error| Failure::bug("argon2", error))?.to_string())
    };
    spawn_blocking(work).await.map_err(|error| Failure::bug("argon2", error))?
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: Password) -> Result<String, Failure> {
        hash(password).await
    }

    async fn verify(&self, password: Password, stored: Option<String>) -> Result<bool, Failure> {
        let is_known = stored.is_some();
        let stored = match stored {
            Some(stored) => stored,
            None => self.dummy.get_or_try_init(|| hash(password.clone())).await?.clone(),
        };
        let work = move || -> Result<bool, Failure> {
            let parsed = PasswordHash::new(&stored)
                .map_err(|_| Failure::bug("argon2", "a stored hash cannot be read"))?;
            // The parameters are those of the stored hash.
            let argon2 = argon2().map_err(|error| Failure::bug("argon2", error))?;
            Ok(argon2.verify_password(password.reveal().as_bytes(), &parsed).is_ok())
        };
        let is_right =
            spawn_blocking(work).await.map_err(|error| Failure::bug("argon2", error))??;
        Ok(is_known && is_right)
    }
}
