//! A mailbox instead of a mail server, and paper with nothing printed on it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::EmailAddress;
use service::port::{Failure, Handover, Letter, Mail, Mailer, Stationery};

/// Keeps every mail, unless it was told to be down.
#[derive(Default)]
pub struct FakeMailer {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sent: Vec<Mail>,
    is_down: bool,
    refuses: bool,
}

impl FakeMailer {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Makes every call fail as an outage does, or ends the outage.
    pub fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    /// Makes every recipient one that nobody is, or ends that.
    pub fn set_refusing(&self, refuses: bool) {
        self.lock().refuses = refuses;
    }

    /// Everything since the last look.
    pub fn drain(&self) -> Vec<Mail> {
        std::mem::take(&mut self.lock().sent)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for FakeMailer {
    async fn send(&self, mail: &Mail) -> Result<Handover, Failure> {
        let mut state = self.lock();
        if state.is_down {
            return Err(Failure::unavailable("mail", "a test took it down"));
        }
        if state.refuses {
            return Ok(Handover::Refused { code: "550".to_owned() });
        }
        state.sent.push(mail.clone());
        Ok(Handover::Taken)
    }
}

/// Names what the letter is in the subject; the text is the token, or the device.
pub struct FakeStationery;

impl Stationery for FakeStationery {
    fn write(&self, to: &EmailAddress, name: &str, letter: &Letter) -> Mail {
        let (subject, text) = match letter {
            Letter::VerifyEmail { token } => ("verify", token.clone()),
            Letter::ResetPassword { token } => ("reset", token.clone()),
            Letter::NewSignIn { device_name, .. } => {
                ("new sign-in", device_name.clone().unwrap_or_default())
            }
        };
        let html = format!("<p>{name}</p>");
        Mail { to: to.clone(), subject: subject.to_owned(), text, html }
    }
}
