//! Letters in words. Each kind has two templates beside this file: text, whose first line is the
//! subject, and HTML.
//!
//! Somebody may make an account with another person's address, and a name that says "visit
//! evil.example": a name or device that looks like an address is left out, since a mail program
//! would make a link of it.

use std::str::FromStr;
use std::time::Duration;

use domain::{EmailAddress, Invalid, Timestamp, limits};
use service::port::{Letter, Mail, Stationery};
use url::{Host, Url, form_urlencoded};

use super::{Sender, one_line};

/// What stands for a device, or an address, that is not told.
const UNKNOWN: &str = "unknown";
/// Where the app takes a token.
const VERIFY_PATH: &str = "verify-email";
const RESET_PATH: &str = "reset-password";

/// Where the app is: what links in mails begin with. It does not end with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppUrl(String);

impl AppUrl {
    /// The token goes behind `#`, which browsers keep to themselves: it is in no log of a server
    /// and in no `Referer`.
    fn with_token(&self, path: &str, token: &str) -> String {
        let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        format!("{}/{path}#token={token}", self.0)
    }
}

/// Stands in until the verdict on the environment stops the start.
impl Default for AppUrl {
    fn default() -> Self {
        Self("http://localhost".to_owned())
    }
}

impl FromStr for AppUrl {
    type Err = Invalid;

    /// `https` with a host, and perhaps a path; `http` on this machine.
    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let refused = || {
            let detail = "must be an https address without a query: https://chat.example.org";
            Invalid::new("invalid_app_url", detail)
        };
        let url = Url::parse(raw.trim()).map_err(|_| refused())?;
        let is_safe = match (url.scheme(), url.host()) {
            ("https", Some(_)) | ("http", Some(Host::Domain("localhost"))) => true,
            ("http", Some(Host::Ipv4(ip))) => ip.is_loopback(),
            ("http", Some(Host::Ipv6(ip))) => ip.is_loopback(),
            _ => false,
        };
        let is_plain = url.query().is_none() && url.fragment().is_none();
        let is_open = url.username().is_empty() && url.password().is_none();
        if !is_safe || !is_plain || !is_open {
            return Err(refused());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

/// The words of every letter.
#[derive(Debug, Clone)]
pub struct Letters {
    app_url: AppUrl,
    app_name: String,
}

impl Letters {
    /// The app is called as its sender.
    pub fn new(app_url: AppUrl, sender: &Sender) -> Self {
        Self { app_url, app_name: one_line(sender.name()) }
    }

    fn values(&self, name: &str, letter: &Letter) -> Vec<(&'static str, String)> {
        let greeting = match shown(name) {
            Some(name) => format!("Hello {name},"),
            None => "Hello,".to_owned(),
        };
        let mut values = vec![("app", self.app_name.clone()), ("greeting", greeting)];
        values.extend(match letter {
            Letter::VerifyEmail { token } => vec![
                ("link", self.app_url.with_token(VERIFY_PATH, token)),
                ("lifetime", words(limits::EMAIL_TOKEN_LIFETIME)),
            ],
            Letter::ResetPassword { token } => vec![
                ("link", self.app_url.with_token(RESET_PATH, token)),
                ("lifetime", words(limits::PASSWORD_TOKEN_LIFETIME)),
            ],
            Letter::NewSignIn { device_name, address, at } => {
                let device = device_name.as_deref().and_then(shown);
                vec![
                    ("link", self.app_url.0.clone()),
                    ("device", device.unwrap_or_else(|| UNKNOWN.to_owned())),
                    ("address", address.as_deref().map_or(UNKNOWN.to_owned(), one_line)),
                    ("time", time(*at)),
                ]
            }
        });
        values
    }
}

impl Stationery for Letters {
    fn write(&self, to: &EmailAddress, name: &str, letter: &Letter) -> Mail {
        let templates = Templates::of(letter);
        let values = self.values(name, letter);
        let (subject, text) = templates.text.split_once("\n\n").unwrap_or(("", templates.text));
        Mail {
            to: to.clone(),
            subject: one_line(&filled(subject, &values, str::to_owned)),
            text: filled(text, &values, str::to_owned),
            html: filled(templates.html, &values, escaped),
        }
    }
}

struct Templates {
    text: &'static str,
    html: &'static str,
}

macro_rules! templates {
    ($name:literal) => {
        Templates {
            text: include_str!(concat!("letters/", $name, ".txt")),
            html: include_str!(concat!("letters/", $name, ".html")),
        }
    };
}

impl Templates {
    fn of(letter: &Letter) -> Self {
        match letter {
            Letter::VerifyEmail { .. } => templates!("verify-email"),
            Letter::ResetPassword { .. } => templates!("reset-password"),
            Letter::NewSignIn { .. } => templates!("new-sign-in"),
        }
    }
}

/// Puts the values where the template names them, as `{{name}}`. A value is never read as a
/// template; a name that is not known stays as it is, and a test finds it.
fn filled(
    template: &str,
    values: &[(&'static str, String)],
    write: impl Fn(&str) -> String,
) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let named = after.split_once("}}").and_then(|(name, behind)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, behind))
        });
        match named {
            Some((value, behind)) => {
                text.push_str(&write(value));
                rest = behind;
            }
            None => {
                text.push_str("{{");
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// For text and for quoted attributes of HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A name that somebody chose, on one line; `None` when a mail program could make a link of it.
fn shown(chosen: &str) -> Option<String> {
    let line = one_line(chosen);
    let characters: Vec<char> = line.chars().collect();
    let is_dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let is_joint = |(one, next): (&char, &char)| is_dot(*one) && next.is_alphabetic();
    let has_joint = characters.iter().zip(characters.iter().skip(1)).any(is_joint);
    let is_link = has_joint || line.contains('@') || line.contains("://");
    (!line.is_empty() && !is_link).then_some(line)
}

/// In whole days, hours or minutes.
fn words(lifetime: Duration) -> String {
    let minutes = lifetime.as_secs() / 60;
    let (count, unit) = match minutes {
        minutes if minutes >= 48 * 60 => (minutes / (24 * 60), "day"),
        minutes if minutes >= 60 => (minutes / 60, "hour"),
        minutes => (minutes, "minute"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// `2033-05-18 03:33 UTC`: to the minute, as people tell it.
fn time(at: Timestamp) -> String {
    let whole = at.to_string();
    match (whole.get(..10), whole.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => whole,
    }
}

#[cfg(test)]
mod tests;
