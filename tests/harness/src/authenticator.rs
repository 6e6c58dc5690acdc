//! An authenticator app, as a person holds it beside the app that asks for its codes.

use totp_rs::Totp;

use crate::{Failure, Result, now_unix_ms};

/// One account in the app.
pub struct Authenticator {
    totp: Totp,
}

impl Authenticator {
    /// What the QR code says.
    ///
    /// # Errors
    /// It is not an `otpauth` URL.
    pub fn scan(url: &str) -> Result<Self> {
        let totp = Totp::from_url(url).map_err(|e| Failure::cannot("read the QR code", e))?;
        Ok(Self { totp })
    }

    /// The code that it shows now.
    pub fn code(&self) -> String {
        self.code_of(0)
    }

    /// The code that it will show next; servers take it from a clock that is ahead.
    pub fn next_code(&self) -> String {
        self.code_of(1)
    }

    fn code_of(&self, steps_ahead: u64) -> String {
        let now = u64::try_from(now_unix_ms()).unwrap_or_default() / 1_000;
        self.totp.generate(now + steps_ahead * 30).to_string()
    }
}
