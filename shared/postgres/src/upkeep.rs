//! `Upkeep`: what the sweep looks after.

use std::time::Duration;

use async_trait::async_trait;
use domain::{ConversationId, Timestamp, limits};
use service::port::{Failure, MembershipCopy, Straggler, Upkeep};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::{Database, Parameter};
use crate::query;
use crate::row::{Read, column, instant, seq, user_id};

/// What the sweep looks after.
pub struct PgUpkeep {
    database: Database,
}

impl PgUpkeep {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

fn rows_at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[async_trait]
impl Upkeep for PgUpkeep {
    async fn stragglers(
        &self,
        nudge_after: Duration,
        limit: usize,
    ) -> Result<Vec<Straggler>, Failure> {
        let nudges = i32::try_from(limits::NUDGES_IN_VAIN).unwrap_or(i32::MAX);
        let parameters: [Parameter<'_>; 4] = [
            (&nudge_after.as_secs_f64(), Type::FLOAT8),
            (&limits::NUDGE_UNTIL.as_secs_f64(), Type::FLOAT8),
            (&nudges, Type::INT4),
            (&rows_at_most(limit), Type::INT8),
        ];
        let rows = self.database.query(query::STRAGGLERS, &parameters).await?;
        let stragglers: Read<Vec<_>> = rows.iter().map(straggler).collect();
        Ok(stragglers?)
    }

    async fn unconfirmed_copies(&self, limit: usize) -> Result<Vec<MembershipCopy>, Failure> {
        let parameters: [Parameter<'_>; 2] = [
            (&limits::COPY_REPAIR_AFTER.as_secs_f64(), Type::FLOAT8),
            (&rows_at_most(limit), Type::INT8),
        ];
        let rows = self.database.query(query::UNCONFIRMED_COPIES, &parameters).await?;
        let copies: Read<Vec<_>> = rows.iter().map(copy).collect();
        Ok(copies?)
    }

    async fn owed_copies(&self, id: ConversationId) -> Result<Vec<MembershipCopy>, Failure> {
        let parameters: [Parameter<'_>; 1] = [(&id.0, Type::UUID)];
        let rows = self.database.query(query::OWED_COPIES, &parameters).await?;
        let copies: Read<Vec<_>> = rows.iter().map(copy).collect();
        Ok(copies?)
    }

    async fn confirm_copies(&self, copies: &[MembershipCopy]) -> Result<(), Failure> {
        if copies.is_empty() {
            return Ok(());
        }
        let conversations: Vec<Uuid> = copies.iter().map(|copy| copy.conversation_id.0).collect();
        let users: Vec<Uuid> = copies.iter().map(|copy| copy.user_id.0).collect();
        let versions: Vec<i64> = copies.iter().map(|copy| copy.version.0).collect();
        let parameters: [Parameter<'_>; 3] = [
            (&conversations, Type::UUID_ARRAY),
            (&users, Type::UUID_ARRAY),
            (&versions, Type::INT8_ARRAY),
        ];
        self.database.query(query::CONFIRM_COPIES, &parameters).await?;
        Ok(())
    }

    async fn forget_traces(&self, limit: usize) -> Result<u64, Failure> {
        let parameters: [Parameter<'_>; 2] = [
            (&limits::TRACE_LIFETIME.as_secs_f64(), Type::FLOAT8),
            (&rows_at_most(limit), Type::INT8),
        ];
        let row = self.database.query_opt(query::FORGET_TRACES, &parameters).await?;
        let forgotten: i64 = row.map_or(Ok(0), |row| column(&row, "forgotten"))?;
        Ok(forgotten.unsigned_abs())
    }

    async fn forget_ended(&self, before: Timestamp, limit: usize) -> Result<u64, Failure> {
        let parameters: [Parameter<'_>; 2] =
            [(&instant(before), Type::TIMESTAMPTZ), (&rows_at_most(limit), Type::INT8)];
        let row = self.database.query_opt(query::FORGET_ENDED, &parameters).await?;
        let forgotten: i64 = row.map_or(Ok(0), |row| column(&row, "forgotten"))?;
        Ok(forgotten.unsigned_abs())
    }
}

fn straggler(row: &Row) -> Read<Straggler> {
    Ok(Straggler {
        conversation_id: ConversationId(column(row, "conversation_id")?),
        user_id: user_id(row, "user_id")?,
        last_seq: seq(row, "last_seq")?,
    })
}

fn copy(row: &Row) -> Read<MembershipCopy> {
    Ok(MembershipCopy {
        conversation_id: ConversationId(column(row, "conversation_id")?),
        user_id: user_id(row, "user_id")?,
        is_active: column(row, "is_active")?,
        version: seq(row, "version")?,
    })
}
