//! `MessageStore`: the history. Writing it is in append.rs.

use async_trait::async_trait;
use domain::{ConversationId, Message, Seq, UserId, limits};
use service::port::{AppendError, ChangesPage, Commit, Failure, MessageStore, Submission};
use service::{MessagePage, Window};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::append::append;
use crate::database::{Database, Parameter};
use crate::query;
use crate::row::{Read, message, seq};

/// The history.
pub struct PgMessages {
    pub(crate) database: Database,
}

impl PgMessages {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl MessageStore for PgMessages {
    async fn append(&self, submissions: &[Submission]) -> Result<Commit, AppendError> {
        append(&self.database, submissions).await
    }

    async fn page(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        window: Window,
        limit: u32,
    ) -> Result<Option<MessagePage>, Failure> {
        let span = Span::of(window, limit);
        let parameters: [Parameter<'_>; 5] = [
            (&conversation_id.0, Type::UUID),
            (&user.0, Type::UUID),
            (&span.pivot.0, Type::INT8),
            (&(i64::from(span.before) + 1), Type::INT8),
            (&(i64::from(span.from) + 1), Type::INT8),
        ];
        let rows = self.database.query(query::PAGE, &parameters).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(span.cut(messages(&rows)?)))
    }

    async fn changes(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        after: Seq,
        limit: u32,
    ) -> Result<Option<ChangesPage>, Failure> {
        let limit = limit.clamp(1, limits::PAGE_MAX);
        let parameters: [Parameter<'_>; 4] = [
            (&conversation_id.0, Type::UUID),
            (&user.0, Type::UUID),
            (&after.0, Type::INT8),
            (&i64::from(limit), Type::INT8),
        ];
        let rows = self.database.query(query::CHANGES, &parameters).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let last_seq = seq(first, "last_seq")?;
        let items = messages(&rows)?;
        let is_full = items.len() >= limit as usize;
        let through = items.last().filter(|_| is_full).map_or(last_seq, |message| message.rev);
        Ok(Some(ChangesPage { items, through, last_seq, has_more: through < last_seq }))
    }

    async fn ping(&self) -> Result<(), Failure> {
        Ok(self.database.ping().await?)
    }
}

/// Without the row that stands for an empty answer.
fn messages(rows: &[Row]) -> Read<Vec<Message>> {
    rows.iter().filter_map(|row| message(row, "").transpose()).collect()
}

/// A window as numbers: so many before the pivot, so many from it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    pivot: Seq,
    before: u32,
    from: u32,
}

impl Span {
    fn of(window: Window, limit: u32) -> Self {
        let limit = limit.clamp(1, limits::PAGE_MAX);
        match window {
            Window::Newest => Self { pivot: Seq(i64::MAX), before: limit, from: 0 },
            Window::Before(seq) => Self { pivot: seq, before: limit, from: 0 },
            Window::After(seq) => {
                Self { pivot: Seq(seq.0.saturating_add(1)), before: 0, from: limit }
            }
            Window::Around(seq) => Self { pivot: seq, before: limit / 2, from: limit - limit / 2 },
        }
    }

    /// On each side one more was asked for than is shown: it tells that there are more.
    fn cut(self, mut items: Vec<Message>) -> MessagePage {
        let before = items.partition_point(|message| message.seq < self.pivot);
        let has_more_before = before > self.before as usize;
        let has_more_after = items.len() - before > self.from as usize;
        if has_more_after {
            items.pop();
        }
        if has_more_before {
            items.remove(0);
        }
        MessagePage { items, has_more_before, has_more_after }
    }
}
