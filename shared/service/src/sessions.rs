//! Keeping a session, ending it, and its sockets with it.

use std::sync::Arc;

use crate::accounts::{email_not_verified, new_refresh_token};
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
    /// A session of who has not verified their address is not renewed until they have.
    pub requires_verified_email: bool,
}

impl Sessions {
    /// Exchanges a refresh token. 401 `refresh_token_invalid`, or `refresh_token_reused` for one
    /// that was spent too long ago: then its session and its sockets have ended. 403
    /// `email_not_verified`, which spends nothing: the same token is good once the address is
    /// verified.
    pub async fn refresh(&self, refresh_token: &str) -> Result<SignedIn, Error> {
        // A token spent for no answer would look stolen ten seconds later.
        self.signer.prepare().await?;
        let presented = self.entropy.digest(refresh_token);
        if self.requires_verified_email {
            self.check_email(&presented).await?;
        }
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
        let user = self.users.account(identity.user_id).await?.ok_or_else(refused)?;
        let access = self.signer.sign(identity).await?;
        Ok(SignedIn { user, session_id: identity.session_id, access, refresh_token: token })
    }

    /// Whether the address is verified of whose session this is; a token that is nobody's is
    /// refused after this.
    async fn check_email(&self, presented: &str) -> Result<(), Error> {
        let holder = self.sessions.holder(presented, self.clock.now()).await?;
        let Some(holder) = holder else { return Ok(()) };
        let user = self.users.account(holder).await?;
        if user.is_some_and(|user| !user.email_verified) {
            return Err(email_not_verified());
        }
        Ok(())
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
