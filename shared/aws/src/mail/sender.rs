//! Who our mails are from, and addresses as mail servers take them.

use std::str::FromStr;

use domain::{EmailAddress, Invalid};
use lettre::Address;
use lettre::message::header::{From as FromHeader, Headers};
use lettre::message::{Mailbox, Mailboxes};
use service::port::Handover;

use super::one_line;

/// What the app is called when nobody says.
const DEFAULT_NAME: &str = "Confab";
/// Longer names are no names.
const NAME_MAX_CHARACTERS: usize = 64;

/// `Confab <no-reply@example.org>`: an address, and what the app is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl Sender {
    /// What the app is called in mails.
    pub fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or(DEFAULT_NAME)
    }

    pub(super) fn mailbox(&self) -> Mailbox {
        self.0.clone()
    }

    /// As it stands in `From`, in ASCII: a name of other scripts as RFC 2047 has it.
    pub(super) fn encoded(&self) -> String {
        let mut headers = Headers::new();
        headers.set(FromHeader::from(Mailboxes::from(self.0.clone())));
        let header = headers.to_string().replace("\r\n ", " ");
        header.trim_start_matches("From:").trim().to_owned()
    }
}

impl FromStr for Sender {
    type Err = Invalid;

    /// With a name or without, in ASCII, since not every server takes more in an address.
    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let refused = || {
            let detail = "must be an address, or a name with an address in <>";
            Invalid::new("invalid_sender", detail)
        };
        let mut mailbox: Mailbox = raw.trim().parse().map_err(|_| refused())?;
        let is_ascii = mailbox.email.user().is_ascii() && mailbox.email.domain().is_ascii();
        if !is_ascii || one_line(raw) != raw.trim() {
            return Err(refused());
        }
        mailbox.name = mailbox.name.map(|name| name.trim().to_owned()).filter(|n| !n.is_empty());
        match &mailbox.name {
            Some(name) if name.chars().count() > NAME_MAX_CHARACTERS => Err(refused()),
            _ => Ok(Self(mailbox)),
        }
    }
}

/// Stands in until the verdict on the environment stops the start; no mail from it arrives.
impl Default for Sender {
    fn default() -> Self {
        let address = Address::new_dangerous("nobody", "localhost");
        Self(Mailbox::new(None, address))
    }
}

/// An address as servers take it: a domain of other scripts in its ASCII form. None for one that no
/// server takes.
pub(super) fn deliverable(to: &EmailAddress) -> Option<Address> {
    let (local, domain) = to.as_str().rsplit_once('@')?;
    let Ok(url::Host::Domain(domain)) = url::Host::parse(domain) else { return None };
    Address::new(local, domain).ok()
}

/// What is said of an address that no server is asked for.
pub(super) fn undeliverable() -> Handover {
    Handover::Refused { code: "undeliverable".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(raw: &str) -> Option<String> {
        deliverable(&EmailAddress::parse(raw).unwrap()).map(|address| address.to_string())
    }

    #[test]
    fn a_sender_has_a_name_or_is_called_as_we_are() {
        let named: Sender = "Acme Chat <no-reply@acme.example>".parse().unwrap();
        assert_eq!(named.name(), "Acme Chat");
        assert_eq!(named.mailbox().email.to_string(), "no-reply@acme.example");
        let unnamed: Sender = "no-reply@acme.example".parse().unwrap();
        assert_eq!(unnamed.name(), "Confab");
    }

    #[test]
    fn a_sender_is_written_in_ascii_on_one_line() {
        let plain: Sender = "Acme Chat <no-reply@acme.example>".parse().unwrap();
        assert_eq!(plain.encoded(), "\"Acme Chat\" <no-reply@acme.example>");
        let long = "\u{65e5}\u{672c} ".repeat(20);
        let other: Sender = format!("{long} <no-reply@acme.example>").parse().unwrap();
        let encoded = other.encoded();
        assert!(encoded.is_ascii() && !encoded.contains(['\r', '\n']), "{encoded}");
        assert!(encoded.starts_with("=?utf-8?") && encoded.ends_with(" <no-reply@acme.example>"));
    }

    #[test]
    fn what_is_no_sender_is_refused() {
        let long = format!("{} <a@b.example>", "x".repeat(65));
        let hostile = [
            "",
            "nobody",
            "a@b.example, c@d.example",
            "A <a@b.example>\r\nBcc: c@d.example",
            "A\r\nBcc: c@d.example <a@b.example>",
            "\u{202e}A <a@b.example>",
            "ä@b.example",
            &long,
        ];
        for raw in hostile {
            assert!(raw.parse::<Sender>().is_err(), "{raw:?}");
        }
    }

    #[test]
    fn a_domain_of_another_script_is_written_in_ascii() {
        assert_eq!(to("ada@b\u{fc}cher.example").unwrap(), "ada@xn--bcher-kva.example");
        assert_eq!(to("ada+lists@example.org").unwrap(), "ada+lists@example.org");
    }

    #[test]
    fn what_the_door_lets_in_can_be_delivered() {
        let long = format!("{}@{}.example", "a".repeat(64), "x".repeat(63));
        for raw in ["o'hara@x-y.example", "{a|b}@1.example", "\u{e4}@\u{65e5}.example", &long] {
            assert!(to(raw).is_some(), "{raw}");
        }
    }
}
