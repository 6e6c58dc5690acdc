//! The worker behind `mail-to-send`.

use std::sync::Arc;

use domain::{User, limits};

use crate::SessionView;
use crate::port::{
    Clock, Entropy, Failure, Handover, Letter, MailJob, MailPurpose, MailTokenStore, Mailer,
    NewMailToken, SessionDirectory, Stationery, UserStore,
};

/// Finds out whose address it is, makes the token, puts it into words and sends it.
#[derive(Clone)]
pub struct PostOffice {
    pub users: Arc<dyn UserStore>,
    pub directory: Arc<dyn SessionDirectory>,
    pub tokens: Arc<dyn MailTokenStore>,
    pub stationery: Arc<dyn Stationery>,
    pub mailer: Arc<dyn Mailer>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl PostOffice {
    /// Who has no account, or none any more, gets nothing. An error sends the job round again; its
    /// next mail has another token, and the one before is worth nothing then.
    pub async fn send(&self, job: MailJob) -> Result<(), Failure> {
        let (user, letter) = match job {
            MailJob::VerifyEmail { user_id } => {
                let user = self.users.account(user_id).await?;
                let Some(user) = user.filter(|user| !user.email_verified) else { return Ok(()) };
                let token = self.token(&user, MailPurpose::VerifyEmail).await?;
                (user, Letter::VerifyEmail { token })
            }
            MailJob::ResetPassword { email } => {
                let known = self.users.credentials(email.as_str()).await?;
                // Nobody is told that nobody has this address.
                let Some(known) = known else { return Ok(()) };
                let token = self.token(&known.user, MailPurpose::ResetPassword).await?;
                (known.user, Letter::ResetPassword { token })
            }
            MailJob::NewSignIn { identity } => {
                // It is told of though it was ended at once: by a thief, perhaps.
                let Some(session) = self.directory.find(identity).await? else { return Ok(()) };
                let SessionView { device_name, address, created_at: at, .. } = session;
                let user = self.users.account(identity.user_id).await?;
                // An address that nobody has proven may be a stranger's.
                let Some(user) = user.filter(|user| user.email_verified) else { return Ok(()) };
                (user, Letter::NewSignIn { device_name, address, at })
            }
        };
        let mail = self.stationery.write(&user.email, user.display_name.as_str(), &letter);
        match self.mailer.send(&mail).await? {
            Handover::Taken => tracing::info!(user_id = %user.id, "mail sent"),
            // Another try would be refused as well, and anybody can register with such an address.
            Handover::Refused { code } => {
                tracing::warn!(user_id = %user.id, code, "mail refused");
            }
        }
        Ok(())
    }

    async fn token(&self, user: &User, purpose: MailPurpose) -> Result<String, Failure> {
        let token = self.entropy.secret();
        let lifetime = match purpose {
            MailPurpose::VerifyEmail => limits::EMAIL_TOKEN_LIFETIME,
            MailPurpose::ResetPassword => limits::PASSWORD_TOKEN_LIFETIME,
        };
        let issued = NewMailToken {
            digest: self.entropy.digest(&token),
            user_id: user.id,
            purpose,
            expires_at: self.clock.now().plus(lifetime),
        };
        self.tokens.issue(issued).await?;
        Ok(token)
    }
}
