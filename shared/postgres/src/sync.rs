//! `SyncFeed`: what a device catches up with.

use async_trait::async_trait;
use domain::{ConversationId, Timestamp, UserId, limits};
use service::SyncPage;
use service::port::{SyncError, SyncFeed};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::conversations::{PgConversations, entry};
use crate::database::Parameter;
use crate::error::DatabaseError;
use crate::query;
use crate::row::{Read, column, instant, time};
use crate::sync_cursor::SyncCursor;

#[async_trait]
impl SyncFeed for PgConversations {
    async fn changed_since(
        &self,
        user: UserId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<SyncPage, SyncError> {
        let cursor = cursor.map(SyncCursor::decode).transpose()?;
        let limit = limit.clamp(1, limits::PAGE_MAX);
        let since = cursor.and_then(SyncCursor::since);
        let parameters: [Parameter<'_>; 6] = [
            (&user.0, Type::UUID),
            (&since.map(instant), Type::TIMESTAMPTZ),
            (&cursor.and_then(SyncCursor::last), Type::UUID),
            (&(i64::from(limit) + 1), Type::INT8),
            (&i64::from(limits::UNREAD_MOST), Type::INT8),
            (&i64::from(limits::UNREAD_LOOKED_AT), Type::INT8),
        ];
        let rows = self.database.query(query::CHANGED_SINCE, &parameters).await?;
        let first = rows.first().ok_or_else(|| DatabaseError::unreadable("an empty feed"))?;
        let now = time(first, "read_at")?;
        check_age(cursor, now)?;
        Ok(page(&rows, cursor, now, limit as usize)?)
    }
}

/// By the database's clock, which made the cursor. One from its future was made before the clock
/// went back, after a failover for one: what it has seen is not known, so it begins anew.
fn check_age(cursor: Option<SyncCursor>, now: Timestamp) -> Result<(), SyncError> {
    match cursor.map(SyncCursor::oldest) {
        Some(at) if at > now => Err(SyncError::Expired),
        Some(at) if at < now.minus(limits::SYNC_CURSOR_LIFETIME) => Err(SyncError::Expired),
        _ => Ok(()),
    }
}

fn page(rows: &[Row], cursor: Option<SyncCursor>, now: Timestamp, limit: usize) -> Read<SyncPage> {
    let mut page = SyncPage {
        conversations: Vec::new(),
        removed: Vec::new(),
        next_cursor: String::new(),
        has_more: rows.len() > limit,
    };
    let mut last = None;
    for row in rows.iter().take(limit) {
        match column(row, "is_removed")? {
            None => continue,
            Some(true) => page.removed.push(ConversationId(column(row, "id")?)),
            Some(false) => page.conversations.push(entry(row)?),
        }
        last = Some(column::<Uuid>(row, "id")?);
    }
    let next = match cursor {
        Some(SyncCursor::Within { next, .. }) => next,
        _ => now.minus(limits::SYNC_OVERLAP),
    };
    let next = match last {
        Some(last) if page.has_more => {
            SyncCursor::Within { since: cursor.and_then(SyncCursor::since), next, last }
        }
        _ => SyncCursor::Since(next),
    };
    page.next_cursor = next.encode();
    Ok(page)
}

impl From<DatabaseError> for SyncError {
    fn from(error: DatabaseError) -> Self {
        Self::Page(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_from_the_future_begins_anew() {
        let now = Timestamp::from_unix_ms(1_000_000).unwrap();
        let later = SyncCursor::Since(now.plus(limits::SYNC_OVERLAP));
        assert!(matches!(check_age(Some(later), now), Err(SyncError::Expired)));
        assert!(check_age(Some(SyncCursor::Since(now)), now).is_ok());
        assert!(check_age(None, now).is_ok());
    }
}
