//! The only reader of the environment. `template.yaml` sets what is named here, and
//! `tests/tidy` compares the two.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every variable that some function reads.
pub mod name {
    pub const ALLOWED_ORIGINS: &str = "ALLOWED_ORIGINS";
    pub const APP_URL: &str = "APP_URL";
    pub const BYE_AFTER_SECONDS: &str = "BYE_AFTER_SECONDS";
    pub const CONTACT_REQUESTS_PER_HOUR: &str = "CONTACT_REQUESTS_PER_HOUR";
    pub const CONVERSATIONS_PER_HOUR: &str = "CONVERSATIONS_PER_HOUR";
    pub const DATABASE_SECRET_ARN: &str = "DATABASE_SECRET_ARN";
    pub const ERASURE_QUEUE_URL: &str = "ERASURE_QUEUE_URL";
    pub const FAN_OUT_QUEUE_URL: &str = "FAN_OUT_QUEUE_URL";
    pub const INVITES_PER_HOUR: &str = "INVITES_PER_HOUR";
    pub const LOGINS_PER_MINUTE: &str = "LOGINS_PER_MINUTE";
    pub const LOG_LEVEL: &str = "LOG_LEVEL";
    pub const MAILS_PER_HOUR: &str = "MAILS_PER_HOUR";
    pub const MAIL_FROM: &str = "MAIL_FROM";
    pub const MAIL_QUEUE_URL: &str = "MAIL_QUEUE_URL";
    pub const MAIL_TRANSPORT: &str = "MAIL_TRANSPORT";
    pub const MANAGEMENT_ENDPOINT: &str = "MANAGEMENT_ENDPOINT";
    pub const MESSAGES_BURST: &str = "MESSAGES_BURST";
    pub const MESSAGES_PER_SECOND: &str = "MESSAGES_PER_SECOND";
    pub const NUDGE_AFTER_SECONDS: &str = "NUDGE_AFTER_SECONDS";
    pub const PERSIST_QUEUE_URL: &str = "PERSIST_QUEUE_URL";
    pub const PRESENCE_QUEUE_URL: &str = "PRESENCE_QUEUE_URL";
    pub const QUARANTINE_QUEUE_URL: &str = "QUARANTINE_QUEUE_URL";
    pub const RECEIPT_QUEUE_URL: &str = "RECEIPT_QUEUE_URL";
    pub const REGISTRATIONS_PER_HOUR: &str = "REGISTRATIONS_PER_HOUR";
    pub const REQUIRES_VERIFIED_EMAIL: &str = "REQUIRES_VERIFIED_EMAIL";
    pub const SEALING_SECRET_ARN: &str = "SEALING_SECRET_ARN";
    pub const SIGNING_SECRET_ARN: &str = "SIGNING_SECRET_ARN";
    pub const SMTP_SECRET_ARN: &str = "SMTP_SECRET_ARN";
    pub const SOCKET_URL: &str = "SOCKET_URL";
    pub const TABLE_NAME: &str = "TABLE_NAME";
    pub const TICKETS_PER_MINUTE: &str = "TICKETS_PER_MINUTE";
    pub const TOKEN_AUDIENCE: &str = "TOKEN_AUDIENCE";
    pub const TOKEN_ISSUER: &str = "TOKEN_ISSUER";
}

/// A snapshot of the environment that remembers what was asked for in vain.
pub struct Environment {
    values: BTreeMap<String, String>,
    problems: Mutex<BTreeSet<String>>,
}

/// Everything that is wrong with the environment, at once.
#[derive(Debug, thiserror::Error)]
#[error("the environment is not complete: {0}")]
pub struct EnvironmentError(String);

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub fn of_process() -> Self {
        Self::new(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { values: values.into_iter().collect(), problems: Mutex::default() }
    }

    /// The value, or an empty text with the problem noted for [`Self::verdict`].
    pub fn text(&self, name: &'static str) -> String {
        match self.optional(name) {
            Some(value) => value.to_owned(),
            None => {
                self.note(format!("{name} is missing"));
                String::new()
            }
        }
    }

    /// As [`Self::text`], for a value of another type; `placeholder` stands in for a bad one.
    pub fn parsed<T: FromStr>(&self, name: &'static str, placeholder: T) -> T {
        let text = self.text(name);
        match text.parse() {
            Ok(value) => value,
            Err(_) if text.is_empty() => placeholder,
            Err(_) => {
                self.note(format!("{name} is not a value of its kind"));
                placeholder
            }
        }
    }

    /// `true` or `false`; `false` stands in for a bad one.
    pub fn flag(&self, name: &'static str) -> bool {
        self.parsed(name, false)
    }

    /// `None` when it is not set, or empty.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn note(&self, problem: String) {
        self.problems().insert(problem);
    }

    /// Names every problem that was noted.
    pub fn verdict(&self) -> Result<(), EnvironmentError> {
        let problems = self.problems();
        if problems.is_empty() {
            return Ok(());
        }
        Err(EnvironmentError(problems.iter().map(String::as_str).collect::<Vec<_>>().join("; ")))
    }

    fn problems(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_or_bad_variable_is_named_at_once_and_no_value_is_shown() {
        let values = [("TOKEN_ISSUER", ""), ("MESSAGES_BURST", "hunter2")];
        let environment =
            Environment::new(values.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment.text(name::TABLE_NAME);
        environment.text(name::TOKEN_ISSUER);
        assert_eq!(environment.parsed(name::MESSAGES_BURST, 7_u32), 7);
        let error = environment.verdict().unwrap_err().to_string();
        assert!(error.contains("TABLE_NAME is missing"), "{error}");
        assert!(error.contains("TOKEN_ISSUER is missing"), "{error}");
        assert!(error.contains("MESSAGES_BURST is not a value of its kind"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_complete_environment_is_fine() {
        let environment = Environment::new([("MESSAGES_BURST".to_owned(), "20".to_owned())]);
        assert_eq!(environment.parsed(name::MESSAGES_BURST, 0_u32), 20);
        assert!(environment.verdict().is_ok());
    }
}
