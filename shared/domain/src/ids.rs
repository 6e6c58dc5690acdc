//! Identifiers. Each is its own type, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::Invalid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            /// Takes the hyphenated form of 36 characters, in either case.
            fn from_str(raw: &str) -> Result<Self, Invalid> {
                parse_uuid(raw).map(Self)
            }
        }
    )+};
}

uuid_ids! {
    /// A person. UUIDv7, made by the server.
    UserId,
    /// One sign-in on one device. UUIDv7, made by the server.
    SessionId,
    /// A conversation: UUIDv7 for a group, UUIDv5 over both users for a direct one.
    ConversationId,
    /// The sender's own name of a message, the same on every retry. Any UUID.
    ClientId,
    /// A wish to be somebody's contact. UUIDv7, made by the server.
    ContactRequestId,
    /// An invite into a group. UUIDv7, made by the server.
    InviteId,
    /// One accepted frame on its way through the functions, the same in all their log lines.
    TraceId,
}

fn parse_uuid(raw: &str) -> Result<Uuid, Invalid> {
    let refused = || Invalid::new("invalid_uuid", "must be a UUID of 36 characters");
    if raw.len() != 36 {
        return Err(refused());
    }
    Uuid::try_parse(raw).map_err(|_| refused())
}

/// The number of a message or of a change within its conversation; the first one is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub i64);

impl Seq {
    pub const ZERO: Self = Self(0);

    /// A number that a client sent: not negative.
    pub fn parse(raw: i64) -> Result<Self, Invalid> {
        if raw < 0 {
            return Err(Invalid::new("invalid_seq", "must be 0 or more"));
        }
        Ok(Self(raw))
    }

    /// The number before this one; a frame for this number alone starts there.
    pub fn before(self) -> Self {
        Self(self.0 - 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// API Gateway's name of one open socket: opaque, at most 128 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(String);

impl ConnectionId {
    pub fn parse(raw: impl Into<String>) -> Result<Self, Invalid> {
        let raw = raw.into();
        if raw.is_empty() || raw.len() > 128 || raw.contains(|c: char| c.is_control()) {
            return Err(Invalid::new("invalid_connection_id", "is not a connection id"));
        }
        Ok(Self(raw))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_in_either_case_and_written_in_lower_case() {
        let id: UserId = "0191F1C2-8E5B-7000-8000-0000000000AB".parse().unwrap();
        assert_eq!(id.to_string(), "0191f1c2-8e5b-7000-8000-0000000000ab");
    }

    #[test]
    fn hostile_ids_are_refused() {
        for raw in [
            "",
            "1",
            "0191f1c28e5b700080000000000000ab",
            "{0191f1c2-8e5b-7000-8000-0000000000ab}",
            "urn:uuid:0191f1c2-8e5b-7000-8000-0000000000ab",
            "0191f1c2-8e5b-7000-8000-0000000000a\u{0}",
            "' OR 1=1 --aaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(raw.parse::<UserId>().unwrap_err().code, "invalid_uuid", "{raw:?}");
        }
    }

    #[test]
    fn a_negative_seq_is_refused() {
        assert_eq!(Seq::parse(-1).unwrap_err().code, "invalid_seq");
        assert_eq!(Seq::parse(0).unwrap(), Seq::ZERO);
    }

    #[test]
    fn a_connection_id_is_opaque_but_bounded() {
        assert!(ConnectionId::parse("L0SM9cOFvHcCIhw=").is_ok());
        for raw in [String::new(), "x".repeat(129), "a\nb".into()] {
            assert!(ConnectionId::parse(raw).is_err());
        }
    }
}
