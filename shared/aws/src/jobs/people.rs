//! The jobs about single people: a mail to send, an account to erase.

use domain::{EmailAddress, UserId, limits};
use protocol::job::{EraseAccountTag, EraseAccountV1, MailOrder, SendMailTag, SendMailV1};
use service::port::MailJob;

use super::{EncodeError, JobError, read, refused};

/// The longest address of a client: IPv6 with a zone.
const ADDRESS_MAX_CHARACTERS: usize = 64;

/// Why somebody is to get a mail.
pub fn encode_mail(job: &MailJob) -> Result<String, EncodeError> {
    let mail = match job {
        MailJob::VerifyEmail { user_id } => MailOrder::VerifyEmail { user_id: user_id.0 },
        MailJob::ResetPassword { email } => {
            MailOrder::ResetPassword { email: email.as_str().to_owned() }
        }
        MailJob::NewSignIn { user_id, device_name, address, at } => MailOrder::NewSignIn {
            user_id: user_id.0,
            device_name: device_name.clone(),
            address: address.clone(),
            at: at.to_string(),
        },
    };
    Ok(serde_json::to_string(&SendMailV1 { job: SendMailTag::V1, mail })?)
}

/// The other way.
pub fn decode_mail(text: &str) -> Result<MailJob, JobError> {
    let job: SendMailV1 = read(text, "send-mail/1")?;
    Ok(match job.mail {
        MailOrder::VerifyEmail { user_id } => MailJob::VerifyEmail { user_id: UserId(user_id) },
        MailOrder::ResetPassword { email } => MailJob::ResetPassword { email: address(&email)? },
        MailOrder::NewSignIn { user_id, device_name, address, at } => {
            let longest = limits::DEVICE_NAME_MAX_CHARACTERS;
            MailJob::NewSignIn {
                user_id: UserId(user_id),
                device_name: one_line("device_name", device_name, longest)?,
                address: one_line("address", address, ADDRESS_MAX_CHARACTERS)?,
                at: at.parse().map_err(refused("at"))?,
            }
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

/// Words that a mail repeats: short, and nothing in them ends a line.
fn one_line(
    field: &'static str,
    text: Option<String>,
    longest: usize,
) -> Result<Option<String>, JobError> {
    let is_fine =
        |text: &String| text.chars().count() <= longest && !text.chars().any(char::is_control);
    match text {
        Some(text) if !is_fine(&text) => {
            Err(JobError::Refused(format!("{field} is not one line of {longest} characters")))
        }
        fine => Ok(fine),
    }
}
