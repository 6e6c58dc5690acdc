//! Mail: what is to be said, the queue it waits in, and who carries it.

use async_trait::async_trait;
use domain::{EmailAddress, Timestamp, UserId};

use super::Failure;
use crate::Identity;

/// Why somebody is to get a mail. Whose address it is, and the token in it, are found out by who
/// sends it: a request for an unknown address costs the same as one for a known one, and neither a
/// token nor where somebody signed in lies in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailJob {
    VerifyEmail {
        user_id: UserId,
    },
    /// Nobody may have this address.
    ResetPassword {
        email: EmailAddress,
    },
    /// Somebody signed in on a device that was not known.
    NewSignIn {
        identity: Identity,
    },
}

/// Into `mail-to-send`.
#[async_trait]
pub trait MailQueue: Send + Sync {
    async fn enqueue(&self, job: MailJob) -> Result<(), Failure>;
}

/// A mail in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: EmailAddress,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What was said to a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    Taken,
    /// For good: nobody gets mail at this address. The code is the server's.
    Refused {
        code: String,
    },
}

/// SES or SMTP.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// A failure is worth another try, or an alarm: it is never about the recipient.
    async fn send(&self, mail: &Mail) -> Result<Handover, Failure>;
}

/// What a mail says; the words are those of the templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    VerifyEmail { token: String },
    ResetPassword { token: String },
    NewSignIn { device_name: Option<String>, address: Option<String>, at: Timestamp },
}

/// Puts letters into words.
pub trait Stationery: Send + Sync {
    fn write(&self, to: &EmailAddress, name: &str, letter: &Letter) -> Mail;
}
