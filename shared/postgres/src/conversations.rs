//! `ConversationStore`: conversations and their members.

use std::str::FromStr;
use std::time::SystemTime;

use async_trait::async_trait;
use domain::{
    Conversation, ConversationId, DisplayName, Member, Membership, Seq, UserId, Username, limits,
};
use service::port::{
    Behind, ConversationStore, Created, Failure, NewDirect, NewGroup, OpenError, PageError,
};
use service::{ConversationEntry, Page};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::cursor::Cursor;
use crate::database::{Database, Parameter};
use crate::error::DatabaseError;
use crate::row::{
    Read, column, conversation, count, instant, message, parsed, seq, time, time_opt, user_id,
};
use crate::{opening, query};

/// Conversations and who is in them.
pub struct PgConversations {
    pub(crate) database: Database,
}

impl PgConversations {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ConversationStore for PgConversations {
    async fn open_direct(&self, direct: NewDirect) -> Result<Created, OpenError> {
        opening::open_direct(&self.database, direct).await
    }

    async fn open_group(&self, group: NewGroup) -> Result<Created, OpenError> {
        opening::open_group(&self.database, group).await
    }

    async fn list(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<ConversationEntry>, Option<String>), PageError> {
        let (last_at, last_id) = start(&page)?;
        let limit = bounded(page.limit);
        let parameters: [Parameter<'_>; 6] = [
            (&user.0, Type::UUID),
            (&last_at, Type::TIMESTAMPTZ),
            (&last_id, Type::UUID),
            (&(limit + 1), Type::INT8),
            (&i64::from(limits::UNREAD_MOST), Type::INT8),
            (&i64::from(limits::UNREAD_LOOKED_AT), Type::INT8),
        ];
        let rows = self.database.query(query::LIST, &parameters).await?;
        let (rows, next) = cut(&rows, limit, |row| {
            Ok(Cursor { at: time(row, "active_at")?, id: column(row, "id")? })
        })?;
        let items: Read<Vec<_>> = rows.iter().map(entry).collect();
        Ok((items?, next))
    }

    async fn get(&self, user: UserId, id: ConversationId) -> Result<Option<Conversation>, Failure> {
        let parameters: [Parameter<'_>; 2] = [(&id.0, Type::UUID), (&user.0, Type::UUID)];
        let row = self.database.query_opt(query::GET, &parameters).await?;
        Ok(row.as_ref().map(conversation).transpose()?)
    }

    async fn members(
        &self,
        user: UserId,
        id: ConversationId,
        page: Page,
    ) -> Result<Option<(Vec<Member>, Option<String>)>, PageError> {
        let (last_at, last_id) = start(&page)?;
        let limit = bounded(page.limit);
        let parameters: [Parameter<'_>; 5] = [
            (&id.0, Type::UUID),
            (&user.0, Type::UUID),
            (&last_at, Type::TIMESTAMPTZ),
            (&last_id, Type::UUID),
            (&(limit + 1), Type::INT8),
        ];
        let rows = self.database.query(query::MEMBERS, &parameters).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let (rows, next) = cut(&rows, limit, |row| {
            Ok(Cursor { at: time(row, "joined_at")?, id: column(row, "user_id")? })
        })?;
        let items: Read<Vec<_>> = rows.iter().filter_map(|row| member(row).transpose()).collect();
        Ok(Some((items?, next)))
    }

    async fn behind(
        &self,
        user: UserId,
        cursors: &[(ConversationId, Seq)],
    ) -> Result<Vec<Behind>, Failure> {
        if cursors.is_empty() {
            return Ok(Vec::new());
        }
        let (ids, held): (Vec<Uuid>, Vec<i64>) =
            cursors.iter().map(|(id, seq)| (id.0, seq.0)).unzip();
        let parameters: [Parameter<'_>; 3] =
            [(&user.0, Type::UUID), (&ids, Type::UUID_ARRAY), (&held, Type::INT8_ARRAY)];
        let rows = self.database.query(query::BEHIND, &parameters).await?;
        let behind: Read<Vec<_>> = rows.iter().map(behind).collect();
        Ok(behind?)
    }
}

/// The last row of the page before; nulls for the first page.
pub(crate) fn start(page: &Page) -> Result<(Option<SystemTime>, Option<Uuid>), PageError> {
    let cursor = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    Ok((cursor.map(|last| instant(last.at)), cursor.map(|last| last.id)))
}

pub(crate) fn bounded(limit: u32) -> i64 {
    i64::from(limit.clamp(1, limits::PAGE_MAX))
}

/// The rows of the page without the one that tells that there are more, and the cursor after
/// them.
pub(crate) fn cut(
    rows: &[Row],
    limit: i64,
    cursor: impl Fn(&Row) -> Read<Cursor>,
) -> Read<(&[Row], Option<String>)> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return Ok((rows, None));
    }
    let shown = &rows[..limit];
    let next = shown.last().map(cursor).transpose()?;
    Ok((shown, next.map(Cursor::encode)))
}

/// A row of list.sql or changed_since.sql.
pub(crate) fn entry(row: &Row) -> Read<ConversationEntry> {
    Ok(ConversationEntry {
        conversation: conversation(row)?,
        my: membership(row)?,
        last_message: message(row, "message_")?,
        unread_count: count(row, "unread_count")?,
    })
}

/// One's own side, from the columns my_*.
pub(crate) fn membership(row: &Row) -> Read<Membership> {
    Ok(Membership {
        role: parsed(row, "my_role", FromStr::from_str)?,
        joined_seq: seq(row, "my_joined_seq")?,
        delivered: seq(row, "my_delivered_seq")?,
        read: seq(row, "my_read_seq")?,
        muted_until: time_opt(row, "my_muted_until")?,
        archived: column(row, "my_archived")?,
        pinned: column(row, "my_pinned")?,
    })
}

/// `None` for the row that stands for an empty page.
fn member(row: &Row) -> Read<Option<Member>> {
    let id: Option<Uuid> = column(row, "user_id")?;
    if id.is_none() {
        return Ok(None);
    }
    Ok(Some(Member {
        user_id: user_id(row, "user_id")?,
        username: parsed(row, "username", Username::parse)?,
        display_name: parsed(row, "display_name", DisplayName::parse)?,
        role: parsed(row, "role", FromStr::from_str)?,
        joined_at: time(row, "joined_at")?,
        joined_seq: seq(row, "joined_seq")?,
    }))
}

fn behind(row: &Row) -> Read<Behind> {
    Ok(Behind {
        conversation_id: ConversationId(column(row, "id")?),
        last_seq: seq(row, "last_seq")?,
    })
}

impl From<DatabaseError> for PageError {
    fn from(error: DatabaseError) -> Self {
        Self::Failure(error.into())
    }
}
