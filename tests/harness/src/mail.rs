//! The mails that the emulator took in place of sending them.

use serde_json::Value;

use crate::http::Api;
use crate::{Failure, Result, WAIT, eventually};

/// A mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Mail {
    /// The one-time token behind `#token=` in its link.
    pub fn token(&self) -> Option<String> {
        let (_, after) = self.text.split_once("#token=")?;
        let is_token = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        Some(after.chars().take_while(is_token).collect())
    }
}

/// Where all mails of one emulator end.
#[derive(Clone)]
pub struct Mailbox {
    emulator: Api,
}

impl Mailbox {
    /// # Errors
    /// As every method here: nobody answered, or not what was asked for.
    pub fn of(aws_endpoint_url: &str) -> Result<Self> {
        Ok(Self { emulator: Api::new(aws_endpoint_url)? })
    }

    /// Oldest first.
    pub async fn mails_to(&self, address: &str) -> Result<Vec<Mail>> {
        let answer = self.emulator.get("/_ministack/ses/messages").await?;
        let captured: Value = answer.json()?;
        let accounts = captured["messages"].as_object();
        let accounts = accounts.ok_or_else(|| Failure::new("the capture has no messages"))?;
        let mails = accounts.values().filter_map(Value::as_array).flatten();
        let mut mine: Vec<_> = mails.filter(|mail| is_to(mail, address)).collect();
        mine.sort_by(|one, other| text(one, "Timestamp").cmp(text(other, "Timestamp")));
        let shown = |mail: &&Value| Mail {
            to: address.to_owned(),
            subject: text(mail, "Subject").to_owned(),
            text: text(mail, "BodyText").to_owned(),
            html: text(mail, "BodyHtml").to_owned(),
        };
        Ok(mine.iter().map(shown).collect())
    }

    /// Waits for the mail that `is_it` means; the newest of several.
    pub async fn mail_to(&self, address: &str, is_it: impl Fn(&Mail) -> bool) -> Result<Mail> {
        let come = || async {
            let mails = self.mails_to(address).await.ok()?;
            mails.into_iter().rfind(|mail| is_it(mail))
        };
        eventually("the mail comes", WAIT, come).await
    }
}

fn is_to(mail: &Value, address: &str) -> bool {
    let to = mail["To"].as_array().into_iter().flatten();
    to.filter_map(Value::as_str).any(|to| to.eq_ignore_ascii_case(address))
}

fn text<'a>(mail: &'a Value, field: &str) -> &'a str {
    mail[field].as_str().unwrap_or_default()
}
