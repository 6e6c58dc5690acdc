//! Proving an address, changing a password, and ending sessions.

use std::sync::Arc;

use domain::{Password, SessionId, TokenBucket, User};
use futures::{StreamExt, stream};

use crate::pace::{network, throttle};
use crate::port::{Clock, Entropy, MailTokenStore, PasswordJudge, SessionDirectory, SessionStore};
use crate::proof::{LOGINS, PasswordProof, check_session, wrong_password};
use crate::{Caller, Error, Hangup, Identity, SessionView};

/// Always the same, whatever is wrong with the token.
fn token_invalid() -> Error {
    let detail = "the token is unknown, used or expired: ask for a new mail";
    Error::BadRequest { code: "token_invalid", detail }
}

/// Proving that an address is one's own.
#[derive(Clone)]
pub struct EmailProofs {
    pub tokens: Arc<dyn MailTokenStore>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl EmailProofs {
    /// Once; 400 `token_invalid` after that.
    pub async fn verify(&self, token: &str) -> Result<(), Error> {
        let digest = self.entropy.digest(token);
        let is_verified = self.tokens.verify_email(&digest, self.clock.now()).await?;
        if is_verified { Ok(()) } else { Err(token_invalid()) }
    }
}

/// Another password, for who knows the old one and for who does not.
#[derive(Clone)]
pub struct Passwords {
    pub proof: PasswordProof,
    pub tokens: Arc<dyn MailTokenStore>,
    pub judge: Arc<dyn PasswordJudge>,
    pub hangup: Hangup,
    pub entropy: Arc<dyn Entropy>,
}

impl Passwords {
    /// Ends every session and its sockets, and proves the address: the token came by its mailbox.
    /// 400 `token_invalid`, 422 `weak_password`, which spends
    /// no token; 429 for an address that tries many. A password is hashed, which is slow, only
    /// for a token that is good.
    pub async fn reset(
        &self,
        token: &str,
        new_password: Password,
        address: Option<&str>,
    ) -> Result<(), Error> {
        if let Some(address) = address {
            self.throttle(&format!("reset/{}", network(address)), LOGINS).await?;
        }
        let (digest, now) = (self.entropy.digest(token), self.proof.clock.now());
        let owner = self.tokens.reset_owner(&digest, now).await?.ok_or_else(token_invalid)?;
        self.judge(&owner, &new_password)?;
        let hash = self.proof.hasher.hash(new_password).await?;
        let ended = self.tokens.reset_password(&digest, &hash, self.proof.clock.now()).await?;
        hang_up(&self.hangup, ended.ok_or_else(token_invalid)?, "password_reset").await
    }

    /// Ends every other session and its sockets, also of those that ended lately. 401 for a session
    /// that has ended, 403 `wrong_password`, also for one that was changed a moment ago.
    pub async fn change(
        &self,
        caller: Caller,
        current: Password,
        new_password: Password,
    ) -> Result<(), Error> {
        let (user, proven) = self.proof.ask(caller, current).await?;
        self.judge(&user, &new_password)?;
        let hash = self.proof.hasher.hash(new_password).await?;
        let (passwords, now) = (&self.proof.passwords, self.proof.clock.now());
        let ended = passwords.change(caller.identity(), &proven, &hash, now).await?;
        hang_up(&self.hangup, ended.ok_or_else(wrong_password)?, "password_changed").await
    }

    fn judge(&self, user: &User, new_password: &Password) -> Result<(), Error> {
        let about = [user.username.as_str(), user.email.as_str(), user.display_name.as_str()];
        judge(&*self.judge, new_password, &about, "new_password")
    }

    async fn throttle(&self, scope: &str, bucket: TokenBucket) -> Result<(), Error> {
        throttle(&*self.proof.limiter, &*self.proof.clock, scope, bucket).await
    }
}

/// 422 for a password that is too easily guessed.
pub(crate) fn judge(
    judge: &dyn PasswordJudge,
    password: &Password,
    about: &[&str],
    field: &str,
) -> Result<(), Error> {
    if !judge.is_weak(password, about) {
        return Ok(());
    }
    let detail = "is among the first that anybody would try: choose a longer one";
    Err(Error::invalid(field, domain::Invalid::new("weak_password", detail)))
}

/// Sessions whose sockets are ended at once.
const HANG_UPS_AT_ONCE: usize = 10;

/// One session that cannot be told does not spare the others, and does not hold them up. Whatever
/// fails here comes again: by the same request, or with the next heartbeat of the socket.
pub(crate) async fn hang_up(
    hangup: &Hangup,
    ended: Vec<Identity>,
    reason: &'static str,
) -> Result<(), Error> {
    let each = ended.into_iter().map(|identity| hangup.end_session(identity, reason));
    let outcomes = stream::iter(each).buffer_unordered(HANG_UPS_AT_ONCE);
    outcomes.fold(Ok(()), async |answer: Result<(), Error>, outcome| answer.and(outcome)).await
}

/// Where one is signed in.
#[derive(Clone)]
pub struct SessionList {
    pub sessions: Arc<dyn SessionStore>,
    pub directory: Arc<dyn SessionDirectory>,
    pub clock: Arc<dyn Clock>,
}

impl SessionList {
    /// 401 for a session that has ended.
    pub async fn list(&self, caller: Caller) -> Result<Vec<SessionView>, Error> {
        check_session(&*self.sessions, caller).await?;
        Ok(self.directory.list(caller.user_id(), self.clock.now()).await?)
    }
}

/// Signing out elsewhere.
#[derive(Clone)]
pub struct Revocations {
    pub sessions: Arc<dyn SessionStore>,
    pub directory: Arc<dyn SessionDirectory>,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

impl Revocations {
    /// For one that has ended its sockets are ended again, should that have failed before. 401 for
    /// a session that has ended, here and below. 404 `session_not_found` for one that is not the
    /// caller's, or is forgotten.
    pub async fn revoke(&self, caller: Caller, session_id: SessionId) -> Result<(), Error> {
        check_session(&*self.sessions, caller).await?;
        let user_id = caller.user_id();
        if !self.directory.revoke_one(user_id, session_id, self.clock.now()).await? {
            let detail = "you have no such session";
            return Err(Error::NotFound { code: "session_not_found", detail });
        }
        self.hangup.end_session(Identity { user_id, session_id }, "session_revoked").await
    }

    /// Also ends the sockets of those that ended lately, should that have failed before.
    pub async fn revoke_others(&self, caller: Caller) -> Result<(), Error> {
        let ended = self.directory.revoke_others(caller.identity(), self.clock.now()).await?;
        let ended = ended.ok_or_else(Error::unauthenticated)?;
        hang_up(&self.hangup, ended, "session_revoked").await
    }
}
