//! Text from outside, parsed once at the door.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation;

use crate::{Invalid, limits};

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_types! {
    /// 3–32 of `[a-z0-9._-]`, lower-cased.
    Username,
    /// An address in the form `local@domain`, compared without case, kept lower-cased.
    EmailAddress,
    /// 1–64 characters on one line.
    DisplayName,
    /// At most 512 characters; may be empty.
    Bio,
    /// 1–128 characters on one line.
    Title,
    /// What a group is for: 1–1,024 characters.
    Description,
    /// An `https` address of a picture.
    AvatarUrl,
    /// 1–8,000 bytes of UTF-8 that Postgres and every client can hold.
    MessageText,
    /// One character as a person sees it, in at most 64 bytes.
    Emoji,
}

impl Username {
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let name = raw.trim().to_ascii_lowercase();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if !limits::USERNAME_CHARACTERS.contains(&name.chars().count())
            || !name.chars().all(allowed)
        {
            let detail = "must be 3 to 32 of the letters a-z, digits, '.', '_' and '-'";
            return Err(Invalid::new("invalid_username", detail));
        }
        Ok(Self(name))
    }
}

impl EmailAddress {
    /// Only what can be told without sending mail: one `@`, atoms with dots between them, a domain
    /// that a name server could know.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let address = raw.trim().to_lowercase();
        let refused = || Invalid::new("invalid_email", "must be an e-mail address");
        let (local, domain) = address.rsplit_once('@').ok_or_else(refused)?;
        let strange = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c);
        let dotted = |text: &str| text.split('.').all(|atom| !atom.is_empty());
        let shaped = local.len() <= 64 && dotted(local) && dotted(domain) && is_host(domain);
        if !shaped || address.len() > limits::EMAIL_MAX_BYTES {
            return Err(refused());
        }
        if local.contains(strange) || domain.contains(strange) {
            return Err(refused());
        }
        Ok(Self(address))
    }
}

/// A name in letters of any script; a network's address is none.
fn is_host(domain: &str) -> bool {
    let ascii = idna::domain_to_ascii_strict(domain).unwrap_or_default();
    let top = ascii.rsplit_once('.').map_or("", |(_, top)| top);
    top.contains(|c: char| c.is_ascii_alphabetic())
}

impl DisplayName {
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        one_line(raw, limits::DISPLAY_NAME_CHARACTERS, "invalid_display_name").map(Self)
    }
}

impl Title {
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        one_line(raw, limits::TITLE_CHARACTERS, "invalid_title").map(Self)
    }
}

impl Bio {
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = raw.trim();
        if text.chars().count() > limits::BIO_MAX_CHARACTERS || text.contains(unstorable) {
            return Err(Invalid::new("invalid_bio", "must be at most 512 characters of text"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl MessageText {
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        if !limits::MESSAGE_TEXT_BYTES.contains(&raw.len()) {
            let detail = format!("must be 1 to 8,000 bytes, and is {}", raw.len());
            return Err(Invalid::new("invalid_text_length", detail));
        }
        if raw.contains(unstorable) {
            let detail = "must not contain U+0000, U+FFFE or U+FFFF";
            return Err(Invalid::new("invalid_text_character", detail));
        }
        Ok(Self(raw.to_owned()))
    }
}

fn unstorable(c: char) -> bool {
    matches!(c, '\u{0}' | '\u{fffe}' | '\u{ffff}')
}

/// Turns round what stands beside it.
fn reorders(c: char) -> bool {
    overrides(c) || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}')
}

/// Turns round everything up to the end of the line. Names in Hebrew and Arabic need the marks
/// for one place, and never these.
fn overrides(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Shows nothing by itself: joiners, marks, selectors, blanks.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{180e}' | '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

fn one_line(
    raw: &str,
    characters: std::ops::RangeInclusive<usize>,
    code: &'static str,
) -> Result<String, Invalid> {
    let text = raw.trim();
    // U+2028 and U+2029 separate lines and are no control characters.
    let strange =
        |c: char| c.is_control() || unstorable(c) || overrides(c) || "\u{2028}\u{2029}".contains(c);
    let is_seen = text.chars().any(|c| !is_unseen(c) && !c.is_whitespace());
    if !characters.contains(&text.chars().count()) || text.contains(strange) || !is_seen {
        let (least, most) = characters.into_inner();
        return Err(Invalid::new(
            code,
            format!("must be one line of {least} to {most} characters"),
        ));
    }
    Ok(text.to_owned())
}

/// A password as the person typed it. It is never shown, logged or compared here.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn parse(raw: String) -> Result<Self, Invalid> {
        if !limits::PASSWORD_CHARACTERS.contains(&raw.chars().count()) {
            return Err(Invalid::new("invalid_password", "must be 8 to 256 characters"));
        }
        Ok(Self(raw))
    }

    /// For the hash function only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Description {
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = raw.trim();
        let length = text.chars().count();
        if !limits::DESCRIPTION_CHARACTERS.contains(&length) || text.contains(unstorable) {
            let detail = "must be 1 to 1,024 characters of text";
            return Err(Invalid::new("invalid_description", detail));
        }
        Ok(Self(text.to_owned()))
    }
}

impl AvatarUrl {
    /// Shown by other people's apps, so nothing but `https` with a host.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let host = raw.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
        let is_host = |host: &str| {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c))
        };
        // What no address holds (RFC 3986) breaks out of an attribute in a careless app.
        let is_clean = raw.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c));
        if !host.is_some_and(is_host) || !is_clean || raw.len() > limits::URL_MAX_BYTES {
            let detail = "must be an https address of at most 2,048 bytes";
            return Err(Invalid::new("invalid_avatar_url", detail));
        }
        Ok(Self(raw.to_owned()))
    }
}

impl Emoji {
    /// Any one symbol that can be seen: which of them are emoji changes with every version of
    /// Unicode.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let is_one = raw.graphemes(true).count() == 1 && raw.len() <= limits::EMOJI_MAX_BYTES;
        let is_plain = |c: char| c.is_ascii() || c.is_alphanumeric() || c.is_whitespace();
        let is_symbol = |c: char| !is_plain(c) && !is_unseen(c);
        let is_hostile = |c: char| c.is_control() || unstorable(c) || reorders(c);
        if !is_one || raw.contains(is_hostile) || !raw.chars().any(is_symbol) {
            return Err(Invalid::new("invalid_emoji", "must be one emoji"));
        }
        Ok(Self(raw.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_lower_cased() {
        assert_eq!(Username::parse("Ada.L-1_").unwrap().as_str(), "ada.l-1_");
    }

    #[test]
    fn hostile_user_names_are_refused() {
        for raw in ["", "ab", "a b c", "ädä", "a\u{0}bc", &"x".repeat(33), "ada@x", "аda"] {
            assert_eq!(Username::parse(raw).unwrap_err().code, "invalid_username", "{raw:?}");
        }
    }

    #[test]
    fn an_address_is_compared_without_case() {
        let one = EmailAddress::parse("Ada@Example.COM").unwrap();
        assert_eq!(one, EmailAddress::parse(" ada@example.com ").unwrap());
    }

    #[test]
    fn hostile_addresses_are_refused() {
        let long = format!("a@{}.example", "x".repeat(254));
        for raw in ["", "a", "a@", "@b.c", "a@b", "a@b..c", "a b@c.d", "a@b.c\r\nBcc: x@y.z", &long]
        {
            assert_eq!(EmailAddress::parse(raw).unwrap_err().code, "invalid_email", "{raw:?}");
        }
    }

    #[test]
    fn an_address_that_no_mail_server_takes_is_refused() {
        let label = format!("a@{}.example", "x".repeat(64));
        let local = ["a..b@example.org", ".a@example.org", "a.@example.org"];
        let domain = ["a@-x.example", "a@x-.example", "a@127.0.0.1", "a@x_y.example", "a@b.c%2e"];
        for raw in local.into_iter().chain(domain).chain([label.as_str(), "a@xn--a.example"]) {
            assert_eq!(EmailAddress::parse(raw).unwrap_err().code, "invalid_email", "{raw:?}");
        }
        for raw in ["o'hara+x@ex-ample.co.uk", "a.b@b\u{fc}cher.example", "a@xn--bcher-kva.example"]
        {
            assert_eq!(EmailAddress::parse(raw).unwrap().as_str(), raw);
        }
    }

    #[test]
    fn text_is_measured_in_bytes_and_kept_as_it_is() {
        assert_eq!(MessageText::parse("  hello\n").unwrap().as_str(), "  hello\n");
        assert!(MessageText::parse(&"é".repeat(4_000)).is_ok());
        let long = MessageText::parse(&"é".repeat(4_001)).unwrap_err();
        assert_eq!(long.code, "invalid_text_length");
        assert_eq!(MessageText::parse("").unwrap_err().code, "invalid_text_length");
    }

    #[test]
    fn text_that_postgres_or_a_client_cannot_hold_is_refused() {
        for raw in ["a\u{0}", "\u{fffe}", "x\u{ffff}y"] {
            assert_eq!(MessageText::parse(raw).unwrap_err().code, "invalid_text_character");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::parse("correct horse".into()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert!(Password::parse("short".into()).is_err());
        assert!(Password::parse("x".repeat(257)).is_err());
    }

    #[test]
    fn an_emoji_is_one_symbol_whatever_it_is_made_of() {
        for raw in ["👍", "👍🏽", "❤️", "1️⃣", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "🇩🇪"]
        {
            assert_eq!(Emoji::parse(raw).unwrap().as_str(), raw);
        }
        let endless = format!("👍{}", "\u{200d}👍".repeat(20));
        for raw in ["", "a", "é", " ", "\u{0}", "👍👍", "ok", "\u{fffe}", "<", &endless] {
            assert_eq!(Emoji::parse(raw).unwrap_err().code, "invalid_emoji", "{raw:?}");
        }
    }

    #[test]
    fn a_picture_is_an_https_address_and_nothing_else() {
        for raw in ["https://cdn.example/a.png", "https://x.example:8443/?id=1#a"] {
            assert_eq!(AvatarUrl::parse(raw).unwrap().as_str(), raw);
        }
        let long = format!("https://x.example/{}", "a".repeat(2_048));
        let hostile = ["", "http://x.example", "javascript:alert(1)", "https://", "https:///a"];
        let odd = ["https://me:secret@x.example", "https://x.example/a b", "https://x\".example"];
        let tags = ["https://x.example/\"><b>", "https://x.example/\\a", "https://x.example/`{|}^"];
        for raw in hostile.into_iter().chain(odd).chain(tags).chain([long.as_str()]) {
            assert_eq!(AvatarUrl::parse(raw).unwrap_err().code, "invalid_avatar_url", "{raw:?}");
        }
    }

    #[test]
    fn an_emoji_can_be_seen_and_turns_nothing_round() {
        let unseen = ["\u{200b}", "\u{200d}", "\u{feff}", "\u{ad}", "\u{301}", "e\u{301}"];
        let more = ["\u{2800}", "\u{fe0f}", "\u{e0067}", "\u{80}", "a\u{fe0f}"];
        let hostile = ["\u{202e}", "\u{2066}", "\u{200f}", "👍\u{202e}", "👍\u{7}"];
        for raw in unseen.into_iter().chain(more).chain(hostile) {
            assert_eq!(Emoji::parse(raw).unwrap_err().code, "invalid_emoji", "{raw:?}");
        }
        for raw in ["☺", "✔", "€", "♥️", "#️⃣", "👁️‍🗨️"] {
            assert_eq!(Emoji::parse(raw).unwrap().as_str(), raw);
        }
    }

    #[test]
    fn titles_and_names_are_one_line() {
        assert_eq!(Title::parse(" Team ").unwrap().as_str(), "Team");
        for raw in ["", " ", "a\nb", "\u{7}", "a\u{2028}b", "a\u{2029}b", &"x".repeat(129)] {
            assert!(Title::parse(raw).is_err());
            assert!(DisplayName::parse(raw).is_err());
        }
    }

    #[test]
    fn titles_and_names_can_be_seen_and_turn_no_line_round() {
        let unseen = ["\u{200b}", "\u{2800}", "\u{ad}\u{200d}", "\u{feff} \u{2060}", "\u{3000}"];
        for raw in unseen.into_iter().chain(["Ada\u{202e}adA", "\u{2066}Ada", "Ada\u{2069}"]) {
            assert_eq!(Title::parse(raw).unwrap_err().code, "invalid_title", "{raw:?}");
            assert_eq!(DisplayName::parse(raw).unwrap_err().code, "invalid_display_name");
        }
        for raw in ["👩‍💻 Ada", "דנה\u{200f}", "علي", "A", "é", "e\u{301}"] {
            assert_eq!(DisplayName::parse(raw).unwrap().as_str(), raw);
        }
    }
}
