//! argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one lane.

use argon2::password_hash::Error;
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
        let Some(stored) = stored.or_else(|| self.dummy.get().cloned()) else {
            // Making the first dummy is the same work as comparing with it.
            self.dummy.get_or_try_init(|| hash(password)).await?;
            return Ok(false);
        };
        let work = move || -> Result<bool, Failure> {
            let unreadable = || Failure::bug("argon2", "a stored hash cannot be read");
            // Without its last part the library would call every password wrong.
            let parsed = PasswordHash::new(&stored).ok().filter(|read| read.hash.is_some());
            let parsed = parsed.ok_or_else(unreadable)?;
            // The parameters are those of the stored hash.
            let argon2 = argon2().map_err(|error| Failure::bug("argon2", error))?;
            match argon2.verify_password(password.reveal().as_bytes(), &parsed) {
                Ok(()) => Ok(true),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(_) => Err(unreadable()),
            }
        };
        let is_right =
            spawn_blocking(work).await.map_err(|error| Failure::bug("argon2", error))??;
        Ok(is_known && is_right)
    }

    fn is_outdated(&self, hash: &str) -> bool {
        let stored = PasswordHash::new(hash).ok();
        let is_current = stored.is_some_and(|stored| {
            let number = |name| stored.params.get_decimal(name);
            stored.algorithm.as_str() == "argon2id"
                && stored.version == Some(Version::V0x13 as u32)
                && number("m") == Some(MEMORY_KIB)
                && number("t") == Some(PASSES)
                && number("p") == Some(LANES)
        });
        !is_current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(raw: &str) -> Password {
        Password::parse(raw.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_is_right_and_no_other() {
        let hasher = Argon2Hasher::default();
        let stored = hasher.hash(password("correct horse")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(hasher.verify(password("correct horse"), Some(stored.clone())).await.unwrap());
        assert!(!hasher.verify(password("correct horsf"), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn the_same_password_is_stored_in_another_way_each_time() {
        let hasher = Argon2Hasher::default();
        let one = hasher.hash(password("correct horse")).await.unwrap();
        assert_ne!(one, hasher.hash(password("correct horse")).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_is_signed_in_as_an_unknown_user_even_with_the_password_of_the_dummy() {
        let hasher = Argon2Hasher::default();
        for _ in 0..2 {
            assert!(!hasher.verify(password("correct horse"), None).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_outdated_and_a_fresh_one_is_not() {
        let hasher = Argon2Hasher::default();
        let fresh = hasher.hash(password("correct horse")).await.unwrap();
        assert!(!hasher.is_outdated(&fresh), "{fresh}");
        for (now, before) in
            [("m=19456", "m=9216"), ("t=2", "t=1"), ("p=1", "p=2"), ("$argon2id$", "$argon2i$")]
        {
            assert!(hasher.is_outdated(&fresh.replace(now, before)), "{before}");
        }
    }

    #[tokio::test]
    async fn a_stored_hash_that_cannot_be_read_is_a_bug_and_not_a_wrong_password() {
        let hasher = Argon2Hasher::default();
        for stored in ["", "hunter2", "$argon2id$v=19$m=19456", "$2b$12$"] {
            let verdict = hasher.verify(password("correct horse"), Some(stored.into())).await;
            assert!(matches!(verdict, Err(Failure::Bug { .. })), "{stored:?}");
        }
    }
}
