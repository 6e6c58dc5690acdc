//! Accounts, sessions, keys and tickets.

use domain::{AvatarUrl, Bio, DisplayName, EmailAddress, Invalid, Password, Username, limits};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Fields;

/// `POST /v1/auth/register`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Register {
    pub username: Option<String>,
    pub email: Option<String>,
    pub password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// A registration that may be tried.
pub struct ParsedRegister {
    pub username: Username,
    pub email: EmailAddress,
    pub password: Password,
    pub display_name: Option<DisplayName>,
}

impl Register {
    /// The checked values, or every field that is wrong.
    pub fn parse(self) -> Result<ParsedRegister, Fields> {
        let mut fields = Fields::default();
        let username = fields.required("username", self.username.as_deref(), Username::parse);
        let email = fields.required("email", self.email.as_deref(), EmailAddress::parse);
        let password = fields.required("password", self.password, Password::parse);
        let display_name =
            fields.optional("display_name", self.display_name.as_deref(), DisplayName::parse);
        let parsed = username.zip(email).zip(password).map(|((username, email), password)| {
            ParsedRegister { username, email, password, display_name }
        });
        fields.finish(parsed)
    }
}

/// `POST /v1/auth/login`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Login {
    pub login: Option<String>,
    pub password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// A code of the second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp: Option<String>,
}

/// A login that may be tried.
pub struct ParsedLogin {
    pub login: String,
    pub password: Password,
    pub device_name: Option<String>,
    pub totp: Option<String>,
}

impl Login {
    /// The checked values, or every field that is wrong.
    pub fn parse(self) -> Result<ParsedLogin, Fields> {
        let mut fields = Fields::default();
        let login = fields.required("login", self.login, |raw| bounded(raw, "invalid_login", 254));
        let password = fields.required("password", self.password, Password::parse);
        let device_name = fields.optional("device_name", self.device_name, |raw| {
            bounded(raw, "invalid_device_name", limits::DEVICE_NAME_MAX_CHARACTERS)
        });
        let totp = fields.optional("totp", self.totp, one_time_code);
        let parsed = login.zip(password);
        fields.finish(parsed.map(|(login, password)| ParsedLogin {
            login,
            password,
            device_name,
            totp,
        }))
    }
}

/// Some text of at most so many characters that Postgres can hold.
/// Of an app or a sheet of recovery codes.
pub(super) fn one_time_code(raw: String) -> Result<String, Invalid> {
    bounded(raw, "invalid_totp", 64)
}

fn bounded(raw: String, code: &'static str, most: usize) -> Result<String, Invalid> {
    if raw.is_empty() || raw.chars().count() > most || raw.contains(char::is_control) {
        return Err(Invalid::new(code, format!("must be one line of 1 to {most} characters")));
    }
    Ok(raw)
}

/// `POST /v1/auth/refresh`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refresh {
    pub refresh_token: Option<String>,
}

impl Refresh {
    /// The token as it came; only its digest can tell whether it is one of ours.
    pub fn parse(self) -> Result<String, Fields> {
        let mut fields = Fields::default();
        let token = fields.required("refresh_token", self.refresh_token, Ok);
        fields.finish(token)
    }
}

/// The answer to register, login and refresh.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    pub user: Me,
    pub session_id: Uuid,
    pub access_token: String,
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    pub refresh_token: String,
}

/// One's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub id: Uuid,
    pub username: String,
    pub email: String,
    pub email_verified: bool,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub bio: String,
    pub created_at: String,
    pub settings: Settings,
}

/// What a person lets others see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub share_receipts: bool,
    pub share_last_seen: bool,
}

impl From<&domain::User> for Me {
    fn from(user: &domain::User) -> Self {
        let domain::Settings { share_receipts, share_last_seen } = user.settings;
        Self {
            id: user.id.0,
            username: user.username.to_string(),
            email: user.email.to_string(),
            email_verified: user.email_verified,
            display_name: user.display_name.to_string(),
            avatar_url: user.avatar_url.as_ref().map(|url| url.as_str().to_owned()),
            bio: user.bio.to_string(),
            created_at: user.created_at.to_string(),
            settings: Settings { share_receipts, share_last_seen },
        }
    }
}

/// What others see of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub id: Uuid,
    pub username: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub bio: String,
    pub created_at: String,
}

impl From<&domain::User> for Profile {
    fn from(user: &domain::User) -> Self {
        Self {
            id: user.id.0,
            username: user.username.to_string(),
            display_name: user.display_name.to_string(),
            avatar_url: user.avatar_url.as_ref().map(|url| url.as_str().to_owned()),
            bio: user.bio.to_string(),
            created_at: user.created_at.to_string(),
        }
    }
}

/// `PATCH /v1/users/me`: what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateMe {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "super::object")]
    pub settings: Option<UpdateSettings>,
    /// Null takes the picture away.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "super::present")]
    pub avatar_url: Option<Option<String>>,
}

/// What of the settings is to change: what is absent stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_receipts: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_last_seen: Option<bool>,
}

/// What of an account is to change.
pub struct ParsedUpdateMe {
    pub display_name: Option<DisplayName>,
    pub bio: Option<Bio>,
    pub settings: UpdateSettings,
    pub avatar_url: Option<Option<AvatarUrl>>,
}

impl UpdateMe {
    /// The checked values, or every field that is wrong.
    pub fn parse(self) -> Result<ParsedUpdateMe, Fields> {
        let mut fields = Fields::default();
        let display_name =
            fields.optional("display_name", self.display_name.as_deref(), DisplayName::parse);
        let bio = fields.optional("bio", self.bio.as_deref(), Bio::parse);
        let settings = self.settings.unwrap_or_default();
        let avatar_url =
            super::nullable(&mut fields, "avatar_url", &self.avatar_url, AvatarUrl::parse);
        fields.finish(Some(ParsedUpdateMe { display_name, bio, settings, avatar_url }))
    }
}

/// The public keys, as RFC 7517 writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

/// One Ed25519 key (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub key_use: String,
    pub kid: String,
    pub x: String,
}

/// `POST /v1/socket-tickets`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketTicket {
    pub ticket: String,
    /// Seconds.
    pub expires_in: u64,
    pub url: String,
}
