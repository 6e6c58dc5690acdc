//! Mail: the words, and the two ways they leave.

mod letters;
mod sender;
mod ses;
mod smtp;

use std::str::FromStr;

use domain::Invalid;

pub use letters::{AppUrl, Letters};
pub use sender::Sender;
pub use ses::SesMailer;
pub use smtp::{BadSmtpUrl, SmtpMailer};

/// How failures name these adapters.
const WHAT: &str = "mail";
/// Tells machines that no person wrote this, so that none of them answers (RFC 3834).
const AUTO_SUBMITTED: (&str, &str) = ("Auto-Submitted", "auto-generated");

/// Which way mail leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    #[default]
    Ses,
    Smtp,
}

impl FromStr for Transport {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        match raw {
            "ses" => Ok(Self::Ses),
            "smtp" => Ok(Self::Smtp),
            _ => Err(Invalid::new("invalid_transport", "must be \"ses\" or \"smtp\"")),
        }
    }
}

/// Text that goes on one line and shows as it is: nothing in it ends the line, or turns the
/// direction of what stands beside it.
fn one_line(text: &str) -> String {
    let is_hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|c| !is_hostile(*c)).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_is_one_of_two() {
        assert_eq!("ses".parse(), Ok(Transport::Ses));
        assert_eq!("smtp".parse(), Ok(Transport::Smtp));
        for raw in ["", "SES", "smtp ", "sendmail"] {
            assert!(raw.parse::<Transport>().is_err(), "{raw:?}");
        }
    }

    #[test]
    fn a_line_stays_one() {
        assert_eq!(one_line("hi\r\nBcc: x@y.example\u{0}\u{2028}"), "hiBcc: x@y.example");
        assert_eq!(one_line(" \u{202e}Ada \u{1f680} "), "Ada \u{1f680}");
    }
}
