//! `ContactStore`: people who know each other. Blocks and looking for people are in blocks.rs.

use async_trait::async_trait;
use domain::{ContactRequestId, Timestamp, User, UserId, limits};
use service::port::{ContactAsked, ContactError, ContactStore, Failure, PageError};
use service::{ContactRequest, Page};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::accounts::user;
use crate::conversations::{bounded, cut, start};
use crate::cursor::{Cursor, decode_username, encode_text};
use crate::database::{Database, Parameter};
use crate::error::DatabaseError;
use crate::query;
use crate::row::{Read, column, instant, time, user_id};

/// Contacts, blocks and looking for people.
pub struct PgPeople {
    pub(crate) database: Database,
}

impl PgPeople {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// A part of a list of people by user name. `text`: the beginning that a search asks for, and
    /// how many display names count.
    pub(crate) async fn people(
        &self,
        sql: &str,
        user_id: UserId,
        text: Option<(&str, i64)>,
        page: &Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        let last = page.cursor.as_deref().map(decode_username).transpose()?;
        let limit = bounded(page.limit);
        let more = limit + 1;
        let mut parameters: Vec<Parameter<'_>> = vec![(&user_id.0, Type::UUID)];
        if let Some((text, _)) = &text {
            parameters.push((text, Type::TEXT));
        }
        parameters.extend([(&last as _, Type::TEXT), (&more as _, Type::INT8)]);
        if let Some((_, names)) = &text {
            parameters.push((names, Type::INT8));
        }
        let rows = self.database.query(sql, &parameters).await?;
        let found: Read<Vec<User>> = rows.iter().map(user).collect();
        let mut found = found?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| has_more);
        let next = last.map(|user| encode_text(user.username.as_str()));
        Ok((found, next))
    }
}

const CONTACTS_AT_MOST: i64 = limits::CONTACTS_PER_USER as i64;
const WAITING_AT_MOST: i64 = limits::CONTACT_REQUESTS_WAITING as i64;

#[async_trait]
impl ContactStore for PgPeople {
    async fn ask(
        &self,
        id: ContactRequestId,
        from: UserId,
        to: UserId,
        now: Timestamp,
    ) -> Result<ContactAsked, ContactError> {
        let pair: [Parameter<'_>; 2] = [(&from.0, Type::UUID), (&to.0, Type::UUID)];
        let parameters: [Parameter<'_>; 6] = [
            (&id.0, Type::UUID),
            (&from.0, Type::UUID),
            (&to.0, Type::UUID),
            (&instant(now), Type::TIMESTAMPTZ),
            (&CONTACTS_AT_MOST, Type::INT8),
            (&WAITING_AT_MOST, Type::INT8),
        ];
        let lock = (query::LOCK_PEOPLE, &pair[..]);
        let rows = self.database.locked(lock, (query::ASK_CONTACT, &parameters)).await?;
        let row = rows.first().ok_or_else(|| DatabaseError::unreadable("no verdict"))?;
        match column(row, "verdict")? {
            "asked" => Ok(ContactAsked::Asked(request(row)?)),
            "waiting" => Ok(ContactAsked::Waiting(request(row)?)),
            "accepted" => Ok(ContactAsked::Contacts(request(row)?)),
            "unknown" => Err(ContactError::UnknownUser),
            "blocked" => Err(ContactError::Blocked),
            "known" => Err(ContactError::AlreadyContacts),
            "full" => Err(ContactError::Full),
            _ => Err(DatabaseError::unreadable("a verdict").into()),
        }
    }

    async fn requests(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<ContactRequest>, Option<String>), PageError> {
        let (last_at, last_id) = start(&page)?;
        let limit = bounded(page.limit);
        let parameters: [Parameter<'_>; 4] = [
            (&user.0, Type::UUID),
            (&last_at, Type::TIMESTAMPTZ),
            (&last_id, Type::UUID),
            (&(limit + 1), Type::INT8),
        ];
        let rows = self.database.query(query::CONTACT_REQUESTS, &parameters).await?;
        let (rows, next) = cut(&rows, limit, |row| {
            Ok(Cursor { at: time(row, "created_at")?, id: column(row, "id")? })
        })?;
        let items: Read<Vec<_>> = rows.iter().map(request).collect();
        Ok((items?, next))
    }

    async fn accept(
        &self,
        user: UserId,
        id: ContactRequestId,
        now: Timestamp,
    ) -> Result<Option<ContactRequest>, ContactError> {
        let lock: [Parameter<'_>; 1] = [(&id.0, Type::UUID)];
        let parameters: [Parameter<'_>; 4] = [
            (&user.0, Type::UUID),
            (&id.0, Type::UUID),
            (&instant(now), Type::TIMESTAMPTZ),
            (&CONTACTS_AT_MOST, Type::INT8),
        ];
        let lock = (query::LOCK_BY_REQUEST, &lock[..]);
        let rows = self.database.locked(lock, (query::ACCEPT_CONTACT, &parameters)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if column(row, "is_full")? {
            return Err(ContactError::Full);
        }
        Ok(Some(request(row)?))
    }

    async fn decline(
        &self,
        user: UserId,
        id: ContactRequestId,
    ) -> Result<Option<ContactRequest>, Failure> {
        let parameters: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&id.0, Type::UUID)];
        let lock: [Parameter<'_>; 1] = [(&id.0, Type::UUID)];
        let lock = (query::LOCK_BY_REQUEST, &lock[..]);
        let rows = self.database.locked(lock, (query::DECLINE_CONTACT, &parameters)).await?;
        Ok(rows.first().map(request).transpose()?)
    }

    async fn contacts(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        self.people(query::CONTACTS, user, None, &page).await
    }

    async fn remove(&self, user: UserId, other: UserId) -> Result<bool, Failure> {
        let pair: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&other.0, Type::UUID)];
        let lock = (query::LOCK_PEOPLE, &pair[..]);
        let rows = self.database.locked(lock, (query::REMOVE_CONTACT, &pair)).await?;
        Ok(!rows.is_empty())
    }
}

fn request(row: &Row) -> Read<ContactRequest> {
    Ok(ContactRequest {
        id: ContactRequestId(column::<Uuid>(row, "id")?),
        from: user_id(row, "from_id")?,
        to: user_id(row, "to_id")?,
        created_at: time(row, "created_at")?,
    })
}

impl From<DatabaseError> for ContactError {
    fn from(error: DatabaseError) -> Self {
        Self::Failure(error.into())
    }
}
