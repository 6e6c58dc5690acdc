//! `Erasure`: the end of an account. What somebody may take along is in export.rs.

use async_trait::async_trait;
use domain::{ClientId, ConversationId, EmailAddress, Timestamp, UserId};
use service::Identity;
use service::port::{Erased, Erasure, Failure, GroupChanged, LeftConversations};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::credentials::identity;
use crate::database::{Database, Parameter};
use crate::error::DatabaseError;
use crate::group_write::{Author, Found, give_up, lock_and_read, write};
use crate::query;
use crate::row::{Read, column, instant};

/// The end of accounts, and what they may take along.
pub struct PgErasure {
    pub(crate) database: Database,
}

/// As the statement of the same name answers them.
const ACCOUNT: [&str; 7] =
    ["users", "sessions", "mail_tokens", "two_factor", "contacts", "contact_requests", "blocks"];
const TRACES: [&str; 2] = ["members", "traces"];
const RESIDUE: [&str; 11] = [
    "users",
    "sessions",
    "refresh_tokens",
    "mail_tokens",
    "two_factor",
    "recovery_codes",
    "contacts",
    "contact_requests",
    "blocks",
    "members",
    "traces",
];

#[async_trait]
impl Erasure for PgErasure {
    async fn end_account(&self, user: UserId, now: Timestamp) -> Result<Erased, Failure> {
        let account = self.empty_account(user, now).await?;
        let sessions: Vec<Uuid> = column(&account, "session_ids")?;
        let sessions = sessions.into_iter().map(|id| identity(user, id)).collect();
        Ok(Erased { sessions, rows: counts(&account, &ACCOUNT)? })
    }

    /// Each conversation is left in a transaction of its own, because one that held them all
    /// would hold up everybody in them.
    async fn leave_some(
        &self,
        user: UserId,
        most: usize,
        now: Timestamp,
    ) -> Result<LeftConversations, Failure> {
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&limit, Type::INT8)];
        let rows = self.database.query(query::MEMBERSHIPS, &parameters).await?;
        let mut changes = Vec::new();
        for row in &rows {
            let id = ConversationId(column(row, "conversation_id")?);
            match self.leave(user, id, now).await {
                Ok(change) => changes.extend(change),
                Err(error) if changes.is_empty() => return Err(error.into()),
                Err(error) => {
                    let left = changes.len();
                    tracing::warn!(error = %error, left, "what was left is told first");
                    return Ok(LeftConversations { changes, is_last: false });
                }
            }
        }
        // Nobody can come in who is gone, so there are no others than those that were found.
        Ok(LeftConversations { changes, is_last: rows.len() < most })
    }

    async fn empty_memberships(&self, user: UserId) -> Result<Vec<(&'static str, u64)>, Failure> {
        let parameters: [Parameter<'_>; 1] = [(&user.0, Type::UUID)];
        let row = self.database.query_opt(query::ERASE_TRACES, &parameters).await?;
        let row = row.ok_or_else(|| DatabaseError::unreadable("no traces and no zero"))?;
        Ok(counts(&row, &TRACES)?)
    }

    async fn forget_sessions(&self, ended: &[Identity]) -> Result<(), Failure> {
        let ids: Vec<Uuid> = ended.iter().map(|identity| identity.session_id.0).collect();
        let parameters: [Parameter<'_>; 1] = [(&ids, Type::UUID_ARRAY)];
        self.database.query(query::FORGET_SESSIONS, &parameters).await?;
        Ok(())
    }

    async fn residue(
        &self,
        user: UserId,
        email: &EmailAddress,
    ) -> Result<Vec<(&'static str, u64)>, Failure> {
        let parameters: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&email.as_str(), Type::TEXT)];
        let row = self.database.query_opt(query::RESIDUE, &parameters).await?;
        let row = row.ok_or_else(|| DatabaseError::unreadable("no residue and no zero"))?;
        let mut rows = counts(&row, &RESIDUE)?;
        rows.retain(|(_, count)| *count > 0);
        Ok(rows)
    }
}

impl PgErasure {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn empty_account(&self, user: UserId, now: Timestamp) -> Result<Row, DatabaseError> {
        let lock: [Parameter<'_>; 1] = [(&user.0, Type::UUID)];
        let parameters: [Parameter<'_>; 2] =
            [(&user.0, Type::UUID), (&instant(now), Type::TIMESTAMPTZ)];
        let lock = (query::LOCK_ACCOUNT, &lock[..]);
        let rows = self.database.locked(lock, (query::ERASE_ACCOUNT, &parameters)).await?;
        rows.into_iter().next().ok_or_else(|| DatabaseError::unreadable("an end without a row"))
    }

    /// `None` when another end of the same account was there first.
    async fn leave(
        &self,
        user: UserId,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<Option<GroupChanged>, DatabaseError> {
        let mut lease = self.database.lease().await?;
        let standing = lock_and_read(&mut lease, Found::ById(id), user, &[]).await?;
        let plan = standing.as_ref().and_then(|standing| standing.vanish(user));
        let (Some(standing), Some(plan)) = (standing, plan) else {
            give_up(&mut lease).await?;
            return Ok(None);
        };
        // Nobody repeats these messages, so their names need not be known to anybody: any two
        // that differ will do, and one ends only once.
        let name = |part: &[u8]| ClientId(Uuid::new_v5(&id.0, &[part, user.0.as_bytes()].concat()));
        let author =
            Author { user_id: user, message_ids: vec![name(b"end/1"), name(b"end/2")], at: now };
        write(&mut lease, standing, plan, &author).await.map(Some)
    }
}

fn counts(row: &Row, names: &[&'static str]) -> Read<Vec<(&'static str, u64)>> {
    let count = |name: &&'static str| Ok((*name, column::<i64>(row, name)?.unsigned_abs()));
    names.iter().map(count).collect()
}
