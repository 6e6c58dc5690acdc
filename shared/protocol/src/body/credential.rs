//! What proves who somebody is, beside signing in.

use domain::{EmailAddress, Invalid, Password};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::one_time_code;
use crate::Fields;

/// A token of ours, as somebody typed or pasted it.
fn token(raw: String) -> Result<String, Invalid> {
    let token = raw.trim().to_owned();
    if token.is_empty() || token.len() > 256 {
        return Err(Invalid::new("invalid_token", "must be the token of the mail"));
    }
    Ok(token)
}

/// `POST /v1/auth/email/verify`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VerifyEmail {
    pub token: Option<String>,
}

impl VerifyEmail {
    pub fn parse(self) -> Result<String, Fields> {
        let mut fields = Fields::default();
        let parsed = fields.required("token", self.token, token);
        fields.finish(parsed)
    }
}

/// `POST /v1/auth/password/forgot`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForgotPassword {
    pub email: Option<String>,
}

impl ForgotPassword {
    pub fn parse(&self) -> Result<EmailAddress, Fields> {
        let mut fields = Fields::default();
        let email = fields.required("email", self.email.as_deref(), EmailAddress::parse);
        fields.finish(email)
    }
}

/// `POST /v1/auth/password/reset`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResetPassword {
    pub token: Option<String>,
    pub new_password: Option<String>,
}

impl ResetPassword {
    pub fn parse(self) -> Result<(String, Password), Fields> {
        let mut fields = Fields::default();
        let parsed = fields.required("token", self.token, token);
        let password = fields.required("new_password", self.new_password, Password::parse);
        fields.finish(parsed.zip(password))
    }
}

/// `POST /v1/auth/password/change`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangePassword {
    pub current_password: Option<String>,
    pub new_password: Option<String>,
}

impl ChangePassword {
    pub fn parse(self) -> Result<(Password, Password), Fields> {
        let mut fields = Fields::default();
        let current = fields.required("current_password", self.current_password, Password::parse);
        let new = fields.required("new_password", self.new_password, Password::parse);
        fields.finish(current.zip(new))
    }
}

/// `POST /v1/auth/two-factor` and `DELETE /v1/users/me`: what must not be done from a phone that
/// somebody left lying about.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProvePassword {
    pub password: Option<String>,
    /// A code of the second factor, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp: Option<String>,
}

impl ProvePassword {
    pub fn parse(self) -> Result<(Password, Option<String>), Fields> {
        let mut fields = Fields::default();
        let password = fields.required("password", self.password, Password::parse);
        let totp = fields.optional("totp", self.totp, one_time_code);
        fields.finish(password.map(|password| (password, totp)))
    }
}

/// The answer to enrolling: for an authenticator app, shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwoFactorEnrolment {
    /// `otpauth://totp/…`, for a QR code.
    pub url: String,
    /// The same in base32, for typing.
    pub secret: String,
}

/// `POST /v1/auth/two-factor/confirm`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfirmTwoFactor {
    pub totp: Option<String>,
}

impl ConfirmTwoFactor {
    pub fn parse(self) -> Result<String, Fields> {
        let mut fields = Fields::default();
        let code = fields.required("totp", self.totp, one_time_code);
        fields.finish(code)
    }
}

/// Codes for who has lost the app; each works once, and none is shown again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// One of one's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: Uuid,
    pub device_name: Option<String>,
    pub address: Option<String>,
    pub created_at: String,
    pub last_used_at: String,
    /// The one that asks.
    pub current: bool,
}
