//! What carries mail.

use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use aws::mail::{AppUrl, Letters, Sender, SesMailer, SmtpMailer, Transport};
use postgres::PgAccounts;
use service::PostOffice;
use service::port::{Failure, Handover, Mail, Mailer, Stationery};

use super::Parts;
use crate::config::name;

pub fn post_office(parts: &Parts) -> PostOffice {
    let postgres = Arc::new(PgAccounts::new(parts.database()));
    let (stationery, mailer) = desk(parts);
    PostOffice {
        users: postgres.clone(),
        directory: postgres.clone(),
        tokens: postgres,
        stationery,
        mailer,
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

fn desk(parts: &Parts) -> (Arc<dyn Stationery>, Arc<dyn Mailer>) {
    let app_url = parts.environment.parsed(name::APP_URL, AppUrl::default());
    let transport = parts.environment.parsed(name::MAIL_TRANSPORT, Transport::default());
    let Ok(sender) = Sender::from_str(&parts.environment.text(name::MAIL_FROM)) else {
        parts.environment.note(format!("{} is not an address", name::MAIL_FROM));
        return (Arc::new(Nobody), Arc::new(Nobody));
    };
    let letters = Arc::new(Letters::new(app_url, &sender));
    match transport {
        Transport::Ses => (letters, Arc::new(SesMailer::new(parts.clients.ses(), sender))),
        Transport::Smtp => (letters, smtp(parts, sender)),
    }
}

/// The server's address is in the secret that `SMTP_SECRET_ARN` names.
fn smtp(parts: &Parts, sender: Sender) -> Arc<dyn Mailer> {
    let problem = match &parts.smtp_url {
        Some(url) => match SmtpMailer::new(url, sender, parts.entropy()) {
            Ok(mailer) => return Arc::new(mailer),
            Err(error) => format!("{}: {error}", name::SMTP_SECRET_ARN),
        },
        None => format!("{} is missing", name::SMTP_SECRET_ARN),
    };
    parts.environment.note(problem);
    Arc::new(Nobody)
}

/// Stands in until the verdict on the environment stops the start.
struct Nobody;

#[async_trait]
impl Mailer for Nobody {
    async fn send(&self, _mail: &Mail) -> Result<Handover, Failure> {
        Err(Failure::bug("mailer", "there is none"))
    }
}

impl Stationery for Nobody {
    fn write(
        &self,
        to: &domain::EmailAddress,
        _name: &str,
        _letter: &service::port::Letter,
    ) -> Mail {
        Mail { to: to.clone(), subject: String::new(), text: String::new(), html: String::new() }
    }
}
