//! The jobs about single people: a mail to send, an account to erase.

use domain::{EmailAddress, SessionId, UserId};
use protocol::job::{EraseAccountTag, EraseAccountV1, MailOrder, SendMailTag, SendMailV1};
use service::Identity;
use service::port::MailJob;

use super::{EncodeError, JobError, read, refused};

/// Why somebody is to get a mail.
pub fn encode_mail(job: &MailJob) -> Result<String, EncodeError> {
    let mail = match job {
        MailJob::VerifyEmail { user_id } => MailOrder::VerifyEmail { user_id: user_id.0 },
        MailJob::ResetPassword { email } => {
            MailOrder::ResetPassword { email: email.as_str().to_owned() }
        }
        MailJob::NewSignIn { identity: Identity { user_id, session_id } } => {
            MailOrder::NewSignIn { user_id: user_id.0, session_id: session_id.0 }
        }
    };
    Ok(serde_json::to_string(&SendMailV1 { job: SendMailTag::V1, mail })?)
}

/// The other way.
pub fn decode_mail(text: &str) -> Result<MailJob, JobError> {
    let job: SendMailV1 = read(text, "send-mail/1")?;
    Ok(match job.mail {
        MailOrder::VerifyEmail { user_id } => MailJob::VerifyEmail { user_id: UserId(user_id) },
        MailOrder::ResetPassword { email } => MailJob::ResetPassword { email: address(&email)? },
        MailOrder::NewSignIn { user_id, session_id } => {
            let (user_id, session_id) = (UserId(user_id), SessionId(session_id));
            MailJob::NewSignIn { identity: Identity { user_id, session_id } }
        }
    })
}

/// Who has left, and the address that must not be found afterwards.
pub fn encode_erasure(user: UserId, email: &EmailAddress) -> Result<String, EncodeError> {
    let (job, email) = (EraseAccountTag::V1, email.as_str().to_owned());
    Ok(serde_json::to_string(&EraseAccountV1 { job, user_id: user.0, email })?)
}

/// The other way.
pub fn decode_erasure(text: &str) -> Result<(UserId, EmailAddress), JobError> {
    let job: EraseAccountV1 = read(text, "erase-account/1")?;
    Ok((UserId(job.user_id), address(&job.email)?))
}

fn address(raw: &str) -> Result<EmailAddress, JobError> {
    EmailAddress::parse(raw).map_err(refused("email"))
}
