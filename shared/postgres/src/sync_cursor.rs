//! The cursor of `GET /sync`: since when, and how far within a list that has several pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use service::port::PageError;
use uuid::Uuid;

/// Another layout gets another number: cursors live for a month in clients.
const VERSION: u8 = 1;

/// Where a device is in its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SyncCursor {
    /// It has everything up to this time.
    Since(Timestamp),
    /// It is reading pages.
    Within {
        /// What changed at this time or later; everything, if there is none.
        since: Option<Timestamp>,
        /// Where the next feed begins. It is the time of the first page: what changes while the
        /// later ones are read may lie on a page that was shown already.
        next: Timestamp,
        /// The last conversation of the page before.
        last: Uuid,
    },
}

impl SyncCursor {
    pub(crate) fn since(self) -> Option<Timestamp> {
        match self {
            Self::Since(since) => Some(since),
            Self::Within { since, .. } => since,
        }
    }

    /// The oldest time that the rest of this feed depends on.
    pub(crate) fn oldest(self) -> Timestamp {
        match self {
            Self::Since(since) => since,
            Self::Within { since, next, .. } => since.unwrap_or(next),
        }
    }

    pub(crate) fn last(self) -> Option<Uuid> {
        match self {
            Self::Since(_) => None,
            Self::Within { last, .. } => Some(last),
        }
    }

    pub(crate) fn encode(self) -> String {
        let time = |at: Timestamp| at.unix_ms().to_be_bytes();
        let mut bytes = vec![VERSION];
        match self {
            Self::Since(since) => bytes.extend(time(since)),
            Self::Within { since, next, last } => {
                bytes.extend(last.as_bytes());
                bytes.extend(time(next));
                bytes.extend(since.map(time).into_iter().flatten());
            }
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn decode(raw: &str) -> Result<Self, PageError> {
        let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| PageError::InvalidCursor)?;
        Self::read(&bytes).ok_or(PageError::InvalidCursor)
    }

    /// The length tells which of the three it is.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let time =
            |bytes: &[u8]| Timestamp::from_unix_ms(i64::from_be_bytes(bytes.try_into().ok()?));
        match (version, rest.len()) {
            (VERSION, 8) => Some(Self::Since(time(rest)?)),
            (VERSION, 24 | 32) => {
                let (last, times) = rest.split_at(16);
                let (next, since) = times.split_at(8);
                let since = if since.is_empty() { None } else { Some(time(since)?) };
                Some(Self::Within { since, next: time(next)?, last: Uuid::from_slice(last).ok()? })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was_given() {
        let at = |ms| Timestamp::from_unix_ms(ms).unwrap();
        let last = Uuid::from_u128(7);
        for cursor in [
            SyncCursor::Since(at(-1)),
            SyncCursor::Within { since: None, next: at(5), last },
            SyncCursor::Within { since: Some(at(3)), next: at(5), last },
        ] {
            assert_eq!(SyncCursor::decode(&cursor.encode()).unwrap(), cursor);
        }
    }

    #[test]
    fn hostile_cursors_are_refused() {
        let of = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let later_version = of(&[2, 0, 0, 0, 0, 0, 0, 0, 0]);
        let year_million = of(&[1, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f]);
        let long = "A".repeat(10_000);
        for raw in ["", "x", "AQ", "' OR 1=1 --", &later_version, &year_million, &long] {
            assert!(matches!(SyncCursor::decode(raw), Err(PageError::InvalidCursor)), "{raw:.40}");
        }
    }
}
