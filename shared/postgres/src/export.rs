//! `Export`: everything that is kept about somebody, for themselves, in parts.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{UserId, limits};
use service::port::{Export, ExportPart, ExportRecord, PageError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::Parameter;
use crate::erasure::PgErasure;
use crate::query;
use crate::row::{Read, column};

/// What one part may have, as JSON: an answer has 6 MB at most, and people read it, too.
const PART_MAX_BYTES: usize = 2_000_000;

/// What tells rows with the same key apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// There are none.
    Nothing,
    Id,
    Number,
}

/// A kind of thing, its statement, and the columns of a record.
struct Section {
    name: &'static str,
    sql: &'static str,
    within: Within,
    columns: &'static [&'static str],
}

const SECTIONS: [Section; 9] = [
    Section {
        name: "profile",
        sql: query::EXPORT_PROFILE,
        within: Within::Nothing,
        columns: &[
            "id",
            "username",
            "email",
            "email_verified",
            "display_name",
            "bio",
            "avatar_url",
            "share_receipts",
            "share_last_seen",
            "two_factor",
            "created_at",
        ],
    },
    Section {
        name: "sessions",
        sql: query::EXPORT_SESSIONS,
        within: Within::Nothing,
        columns: &["id", "device_name", "address", "created_at", "last_used_at", "revoked_at"],
    },
    Section {
        name: "contacts",
        sql: query::EXPORT_CONTACTS,
        within: Within::Nothing,
        columns: &["user_id", "username", "status", "since"],
    },
    Section {
        name: "blocks",
        sql: query::EXPORT_BLOCKS,
        within: Within::Nothing,
        columns: &["user_id", "username", "created_at"],
    },
    Section {
        name: "conversations",
        sql: query::EXPORT_CONVERSATIONS,
        within: Within::Nothing,
        columns: &[
            "conversation_id",
            "type",
            "title",
            "role",
            "is_member",
            "joined_at",
            "muted_until",
            "archived",
            "pinned",
        ],
    },
    Section {
        name: "messages",
        sql: query::EXPORT_MESSAGES,
        within: Within::Id,
        columns: &[
            "conversation_id",
            "seq",
            "kind",
            "text",
            "reply_to",
            "sent_at",
            "created_at",
            "edited_at",
            "deleted_at",
        ],
    },
    Section {
        name: "receipts",
        sql: query::EXPORT_RECEIPTS,
        within: Within::Nothing,
        columns: &["conversation_id", "delivered", "read"],
    },
    Section {
        name: "reactions",
        sql: query::EXPORT_REACTIONS,
        within: Within::Number,
        columns: &["conversation_id", "seq", "emoji", "reacted_at"],
    },
    Section {
        name: "invites",
        sql: query::EXPORT_INVITES,
        within: Within::Nothing,
        columns: &[
            "id",
            "conversation_id",
            "uses",
            "max_uses",
            "created_at",
            "expires_at",
            "revoked_at",
        ],
    },
];

#[async_trait]
impl Export for PgErasure {
    async fn part(&self, user: UserId, cursor: Option<&str>) -> Result<ExportPart, PageError> {
        let place = cursor.map_or(Ok(Place::default()), Place::decode)?;
        let section = SECTIONS.get(usize::from(place.section)).ok_or(PageError::InvalidCursor)?;
        let last = place.last.map(|(key, _)| key);
        let (id, number) = (place.id(), place.number());
        let limit = i64::from(limits::PAGE_MAX) + 1;
        let mut parameters: Vec<Parameter<'_>> =
            vec![(&user.0, Type::UUID), (&last, Type::UUID), (&limit, Type::INT8)];
        match section.within {
            Within::Nothing => {}
            Within::Id => parameters.push((&id, Type::UUID)),
            Within::Number => parameters.push((&number, Type::INT8)),
        }
        let rows = self.database.query(section.sql, &parameters).await?;
        let mut records = Vec::new();
        let mut bytes = 0;
        for row in rows.iter().take(limits::PAGE_MAX as usize) {
            let record = record(section, row)?;
            bytes += size(&record);
            if bytes > PART_MAX_BYTES && !records.is_empty() {
                break;
            }
            records.push(record);
        }
        let next = match records.len().checked_sub(1).and_then(|last| rows.get(last)) {
            Some(last) if records.len() < rows.len() => Some(place.after(section, last)?),
            _ => place.next_section(),
        };
        Ok(ExportPart { section: section.name, records, next_cursor: next.map(Place::encode) })
    }
}

fn record(section: &Section, row: &Row) -> Read<ExportRecord> {
    section.columns.iter().map(|name| Ok((*name, column(row, name)?))).collect()
}

/// As JSON, with room for names and quotes.
fn size(record: &ExportRecord) -> usize {
    let letter = |letter: char| match letter {
        '"' | '\\' => 2,
        '\u{0}'..='\u{1f}' => 6,
        _ => letter.len_utf8(),
    };
    let value = |text: &String| text.chars().map(letter).sum::<usize>();
    record.iter().map(|(name, text)| name.len() + 8 + text.as_ref().map_or(0, value)).sum()
}

/// Where the next part begins: a section, and the last row of it that was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    section: u8,
    last: Option<(Uuid, u128)>,
}

impl Place {
    fn after(self, section: &Section, row: &Row) -> Read<Self> {
        let within = match section.within {
            Within::Nothing => 0,
            Within::Id => column::<Uuid>(row, "within")?.as_u128(),
            Within::Number => column::<i64>(row, "within")?.unsigned_abs().into(),
        };
        Ok(Self { last: Some((column(row, "key")?, within)), ..self })
    }

    fn id(self) -> Option<Uuid> {
        self.last.map(|(_, within)| Uuid::from_u128(within))
    }

    /// A greater one than there is leads behind everything, as any invented place may.
    fn number(self) -> Option<i64> {
        self.last.map(|(_, within)| i64::try_from(within).unwrap_or(i64::MAX))
    }

    fn next_section(self) -> Option<Self> {
        let section = self.section + 1;
        (usize::from(section) < SECTIONS.len()).then_some(Self { section, last: None })
    }

    /// One byte, and perhaps 32 more, in base64url.
    fn encode(self) -> String {
        let mut bytes = vec![self.section];
        if let Some((key, within)) = self.last {
            bytes.extend_from_slice(key.as_bytes());
            bytes.extend_from_slice(&within.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(raw: &str) -> Result<Self, PageError> {
        let read = |bytes: &[u8]| {
            let (section, rest) = bytes.split_first()?;
            if usize::from(*section) >= SECTIONS.len() {
                return None;
            }
            let last = match rest.split_first_chunk::<16>() {
                None if rest.is_empty() => None,
                None => return None,
                Some((key, within)) => {
                    Some((Uuid::from_bytes(*key), u128::from_be_bytes(within.try_into().ok()?)))
                }
            };
            Some(Self { section: *section, last })
        };
        let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| PageError::InvalidCursor)?;
        read(&bytes).ok_or(PageError::InvalidCursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_as_it_was_given() {
        for last in [None, Some((Uuid::from_u128(7), u128::MAX))] {
            let place = Place { section: 5, last };
            assert_eq!(Place::decode(&place.encode()).unwrap(), place);
        }
    }

    #[test]
    fn hostile_places_are_refused() {
        let far = Place { section: 9, last: None }.encode();
        let long = "A".repeat(10_000);
        for raw in ["", "x", "%00", "AAAA", "' OR 1=1 --", &far, &long] {
            assert!(matches!(Place::decode(raw), Err(PageError::InvalidCursor)), "{raw:.40}");
        }
    }

    #[test]
    fn a_record_is_measured_as_its_json() {
        let record: ExportRecord = vec![("text", Some("a\u{1}\"é".into())), ("kind", None)];
        assert_eq!(size(&record), 4 + 8 + 1 + 6 + 2 + 2 + 4 + 8);
    }
}
