//! One-time codes that a test can make too, and a short list of bad passwords.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Password, Timestamp, UserId, limits};
use service::port::{Failure, OneTimeCodes, PasswordJudge};

/// Codes that tell their secret and their time step.
#[derive(Default)]
pub struct FakeCodes {
    made: AtomicU64,
}

impl FakeCodes {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What an app shows at this time, that was given this secret.
    pub fn code(secret: &str, now: Timestamp) -> String {
        code(secret, step(now))
    }
}

fn step(now: Timestamp) -> u64 {
    now.unix_ms().unsigned_abs() / 1_000 / limits::TOTP_STEP.as_secs()
}

fn code(secret: &str, step: u64) -> String {
    format!("{secret}-{step}")
}

/// A secret opens for the user it was sealed for.
fn open(user: UserId, sealed_secret: &str) -> Result<&str, Failure> {
    let opened = sealed_secret.strip_prefix(&format!("sealed for {user}: "));
    opened.ok_or_else(|| Failure::bug("one-time codes", "sealed for somebody else"))
}

impl OneTimeCodes for FakeCodes {
    fn new_secret(&self, user: UserId) -> Result<String, Failure> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        Ok(format!("sealed for {user}: secret{number}"))
    }

    fn enrolment(
        &self,
        user: UserId,
        sealed_secret: &str,
        account: &str,
    ) -> Result<(String, String), Failure> {
        let secret = open(user, sealed_secret)?;
        Ok((format!("otpauth://totp/{account}?secret={secret}"), secret.to_owned()))
    }

    fn check(
        &self,
        user: UserId,
        sealed_secret: &str,
        given: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, Failure> {
        let secret = open(user, sealed_secret)?;
        let now = step(now);
        Ok([now - 1, now, now + 1].into_iter().find(|step| code(secret, *step) == given))
    }
}

/// Finds `password` weak, and what is made of what is known of a person.
pub struct FakeJudge;

impl PasswordJudge for FakeJudge {
    fn is_weak(&self, password: &Password, about: &[&str]) -> bool {
        let password = password.reveal().to_lowercase();
        let is_known = |known: &&str| password.contains(&known.to_lowercase());
        password.starts_with("password") || about.iter().any(is_known)
    }
}
