//! Opaque cursors: the last row that was shown, by its time and its id, by its number
//! or by its name.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Timestamp, Username};
use service::port::PageError;
use uuid::Uuid;

/// The last row of the page before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

impl Cursor {
    /// 24 bytes, as 32 characters of base64url.
    pub(crate) fn encode(self) -> String {
        let ms = self.at.unix_ms().to_be_bytes();
        URL_SAFE_NO_PAD.encode([&ms[..], self.id.as_bytes()].concat())
    }

    pub(crate) fn decode(raw: &str) -> Result<Self, PageError> {
        let invalid = PageError::InvalidCursor;
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(raw) else { return Err(invalid) };
        let Some((ms, id)) = bytes.split_first_chunk::<8>() else { return Err(invalid) };
        match (Timestamp::from_unix_ms(i64::from_be_bytes(*ms)), Uuid::from_slice(id)) {
            (Some(at), Ok(id)) => Ok(Self { at, id }),
            _ => Err(invalid),
        }
    }
}

/// A cursor in a list that is ordered by numbers: the last one that was shown.
pub(crate) fn encode_number(number: i64) -> String {
    URL_SAFE_NO_PAD.encode(number.to_be_bytes())
}

pub(crate) fn decode_number(raw: &str) -> Result<i64, PageError> {
    let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| PageError::InvalidCursor)?;
    let bytes = bytes.try_into().map_err(|_| PageError::InvalidCursor)?;
    Ok(i64::from_be_bytes(bytes))
}

/// A cursor in a list that is ordered by user names.
pub(crate) fn encode_text(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub(crate) fn decode_username(raw: &str) -> Result<String, PageError> {
    let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| PageError::InvalidCursor)?;
    let name = String::from_utf8(bytes).map_err(|_| PageError::InvalidCursor)?;
    let username = Username::parse(&name).map_err(|_| PageError::InvalidCursor)?;
    Ok(username.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was_given() {
        let at = Timestamp::from_unix_ms(-5).unwrap();
        let cursor = Cursor { at, id: Uuid::from_u128(u128::MAX - 1) };
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        assert_eq!(decode_number(&encode_number(i64::MAX)).unwrap(), i64::MAX);
        assert_eq!(decode_username(&encode_text("ada.l-1_")).unwrap(), "ada.l-1_");
    }

    #[test]
    fn hostile_cursors_are_refused() {
        let year_million = URL_SAFE_NO_PAD.encode([0x7f; 24]);
        let long = "A".repeat(10_000);
        for raw in ["", "x", "%00", "' OR 1=1 --", "AAAA", &year_million, &long] {
            assert!(matches!(Cursor::decode(raw), Err(PageError::InvalidCursor)), "{raw:.40}");
            assert!(matches!(decode_number(raw), Err(PageError::InvalidCursor)), "{raw:.40}");
            assert!(matches!(decode_username(raw), Err(PageError::InvalidCursor)), "{raw:.40}");
        }
    }
}
