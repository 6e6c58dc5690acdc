//! Asking again who somebody is.

use std::sync::Arc;

use domain::{Password, TokenBucket, User, limits};

use crate::pace::throttle;
use crate::port::{Clock, PasswordHasher, PasswordStore, RateLimiter, SessionStore, UserStore};
use crate::{Caller, Error};

/// Tries of a password or a one-time code.
pub(crate) const LOGINS: TokenBucket = TokenBucket::per_minute(limits::LOGINS_PER_MINUTE);

/// 401 for a session that has ended. An access token lives on until it expires; that is enough for
/// reading, and not for what changes an account.
pub(crate) async fn check_session(
    sessions: &dyn SessionStore,
    caller: Caller,
) -> Result<(), Error> {
    let is_active = sessions.is_active(caller.identity()).await?;
    if is_active { Ok(()) } else { Err(Error::unauthenticated()) }
}

/// Asks for the password again, before what must not be done from a phone that somebody left lying
/// about.
#[derive(Clone)]
pub struct PasswordProof {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub passwords: Arc<dyn PasswordStore>,
    pub hasher: Arc<dyn PasswordHasher>,
    pub limiter: Arc<dyn RateLimiter>,
    pub clock: Arc<dyn Clock>,
}

impl PasswordProof {
    /// Who it is, and the hash that the password was compared with. 401 for a session that has
    /// ended, 429 for an account that is tried often, 403 `wrong_password`.
    pub async fn ask(&self, caller: Caller, password: Password) -> Result<(User, String), Error> {
        let user = self.admit(caller).await?;
        let hash = self.passwords.hash_of(user.id).await?;
        let is_right = self.hasher.verify(password, hash.clone()).await?;
        hash.filter(|_| is_right).map(|hash| (user, hash)).ok_or_else(wrong_password)
    }

    /// Who it is, and one try less for them: what comes next compares something that can be
    /// guessed. Counted apart from signing in: strangers who try that keep nobody from defending
    /// their account.
    pub(crate) async fn admit(&self, caller: Caller) -> Result<User, Error> {
        check_session(&*self.sessions, caller).await?;
        let id = caller.user_id();
        throttle(&*self.limiter, &*self.clock, &format!("proof/{id}"), LOGINS).await?;
        self.users.account(id).await?.ok_or_else(Error::unauthenticated)
    }
}

pub(crate) fn wrong_password() -> Error {
    Error::Forbidden { code: "wrong_password", detail: "the current password is not this one" }
}
