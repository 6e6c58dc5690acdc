//! Asking for a mail. What is sent, and to whom, is found out behind the queue.

use std::sync::Arc;

use domain::{EmailAddress, TokenBucket, limits};

use crate::pace::{network, throttle};
use crate::port::{Clock, Entropy, MailJob, MailQueue, RateLimiter, SessionStore, UserStore};
use crate::proof::check_session;
use crate::{Caller, Error};

pub(crate) const MAILS: TokenBucket = TokenBucket::per_hour(limits::MAILS_PER_HOUR);

/// Another mail to prove an address.
#[derive(Clone)]
pub struct EmailProofMails {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub mail: Arc<dyn MailQueue>,
    pub limiter: Arc<dyn RateLimiter>,
    pub clock: Arc<dyn Clock>,
}

impl EmailProofMails {
    /// Nothing happens for an address that is verified. 401 for a session that has ended.
    pub async fn resend(&self, caller: Caller) -> Result<(), Error> {
        check_session(&*self.sessions, caller).await?;
        let user_id = caller.user_id();
        throttle(&*self.limiter, &*self.clock, &format!("mail/{user_id}"), MAILS).await?;
        let user = self.users.account(user_id).await?.ok_or_else(Error::unauthenticated)?;
        if !user.email_verified {
            self.mail.enqueue(MailJob::VerifyEmail { user_id }).await?;
        }
        Ok(())
    }
}

/// A mail for who has forgotten their password. Knows nobody, so that it can tell nothing.
#[derive(Clone)]
pub struct ForgottenPasswords {
    pub mail: Arc<dyn MailQueue>,
    pub limiter: Arc<dyn RateLimiter>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl ForgottenPasswords {
    /// The same answer and the same work, whether or not anybody has this address. Who has used
    /// up what is left to their network address uses up nothing of what is left to the owner of
    /// the e-mail address. Who has not can: then the owner has those mails, and uses one of them.
    pub async fn forgot(&self, email: EmailAddress, address: Option<&str>) -> Result<(), Error> {
        let scopes = [
            address.map(|address| format!("mail/{}", network(address))),
            Some(format!("mail/{}", self.entropy.digest(email.as_str()))),
        ];
        for scope in scopes.iter().flatten() {
            throttle(&*self.limiter, &*self.clock, scope, MAILS).await?;
        }
        Ok(self.mail.enqueue(MailJob::ResetPassword { email }).await?)
    }
}
