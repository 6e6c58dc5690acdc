//! Keeping a session, ending it, and its sockets with it.

use std::sync::Arc;

use crate::accounts::new_refresh_token;
use crate::port::{Clock, Entropy, Rotation, SessionStore, TokenSigner, UserStore};
use crate::{Caller, Error, Hangup, SignedIn};

/// Renewing a session.
#[derive(Clone)]
pub struct Sessions {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub signer: Arc<dyn TokenSigner>,
    pub hangup: Hangup,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl Sessions {
    /// Exchanges a refresh token. 401 `refresh_token_invalid`, or `refresh_token_reused` for one
    /// that was spent too long ago: then its session and its sockets have ended.
    pub async fn refresh(&self, refresh_token: &str) -> Result<SignedIn, Error> {
        // A token spent for no answer would look stolen ten seconds later.
        self.signer.prepare().await?;
        let presented = self.entropy.digest(refresh_token);
        let (fresh, token) = new_refresh_token(&*self.entropy, &*self.clock);
        let identity = match self.sessions.rotate(&presented, fresh, self.clock.now()).await? {
            Rotation::Rotated(identity) => identity,
            Rotation::FamilyRevoked(identity) => {
                self.hangup.end_session(identity, "session_revoked").await?;
                let detail = "this token was used before, so its session has been ended";
                return Err(Error::Unauthenticated { code: "refresh_token_reused", detail });
            }
            Rotation::Refused => return Err(refused()),
        };
        let user = self.users.user(identity.user_id).await?.ok_or_else(refused)?;
        let access = self.signer.sign(identity).await?;
        Ok(SignedIn { user, session_id: identity.session_id, access, refresh_token: token })
    }
}

/// Ending one's own session.
#[derive(Clone)]
pub struct SignOut {
    pub sessions: Arc<dyn SessionStore>,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

impl SignOut {
    /// Ends this session and closes its sockets. Idempotent.
    pub async fn logout(&self, caller: Caller) -> Result<(), Error> {
        self.sessions.revoke(caller.session_id(), self.clock.now()).await?;
        self.hangup.end_session(caller.identity(), "signed_out").await
    }
}

fn refused() -> Error {
    let detail = "the refresh token is unknown, expired or revoked: sign in again";
    Error::Unauthenticated { code: "refresh_token_invalid", detail }
}
