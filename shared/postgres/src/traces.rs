//! `PushLog` and `TraceStore`: what became of a message, and when.

use std::time::SystemTime;

use async_trait::async_trait;
use domain::{ConversationId, Seq, Timestamp, TraceId, UserId, limits};
use service::Trace;
use service::port::{Failure, PushLog, PushRecord, TraceStore};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::{Database, Parameter};
use crate::error::DatabaseError;
use crate::query;
use crate::row::{Read, column, count, from_instant, instant, time, time_opt};

/// Numbers that one frame tells at most: those of one batch, if all of it is of one conversation.
const NUMBERS_PER_PUSH: usize = limits::PERSIST_BATCH * limits::MESSAGES_PER_FRAME;

/// Notes for the trace, and the trace.
pub struct PgTraces {
    database: Database,
}

impl PgTraces {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl PushLog for PgTraces {
    async fn record(&self, pushes: &[PushRecord]) -> Result<(), Failure> {
        let taken = |push: &&PushRecord| push.devices > 0 && push.after < push.through;
        let pushes: Vec<&PushRecord> = pushes.iter().filter(taken).collect();
        if pushes.is_empty() {
            return Ok(());
        }
        let conversations: Vec<Uuid> = pushes.iter().map(|push| push.conversation_id.0).collect();
        let after: Vec<i64> = pushes.iter().map(|push| push.after.0).collect();
        let through: Vec<i64> = pushes.iter().map(|push| push.through.0).collect();
        let devices: Vec<i32> =
            pushes.iter().map(|push| i32::try_from(push.devices).unwrap_or(i32::MAX)).collect();
        let times: Vec<Option<SystemTime>> =
            pushes.iter().map(|push| push.at.map(instant)).collect();
        let parameters: [Parameter<'_>; 5] = [
            (&conversations, Type::UUID_ARRAY),
            (&after, Type::INT8_ARRAY),
            (&through, Type::INT8_ARRAY),
            (&devices, Type::INT4_ARRAY),
            (&times, Type::TIMESTAMPTZ_ARRAY),
        ];
        self.database.query(query::RECORD_PUSHES, &parameters).await?;
        Ok(())
    }
}

#[async_trait]
impl TraceStore for PgTraces {
    async fn trace(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        seq: Seq,
    ) -> Result<Option<Trace>, Failure> {
        let per_push = i64::try_from(NUMBERS_PER_PUSH).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 4] = [
            (&conversation_id.0, Type::UUID),
            (&user.0, Type::UUID),
            (&seq.0, Type::INT8),
            (&per_push, Type::INT8),
        ];
        let row = self.database.query_opt(query::TRACE, &parameters).await?;
        let trace = row.map(|row| trace(&row, conversation_id, seq)).transpose();
        Ok(trace?)
    }
}

fn trace(row: &Row, conversation_id: ConversationId, seq: Seq) -> Read<Trace> {
    let first = time_opt(row, "first_pushed_at")?;
    let last = time_opt(row, "last_pushed_at")?;
    Ok(Trace {
        conversation_id,
        seq,
        trace_id: column::<Option<Uuid>>(row, "trace_id")?.map(TraceId),
        accepted_at: time(row, "created_at")?,
        stored_at: time(row, "stored_at")?,
        pushed_devices: count(row, "pushed_devices")?,
        pushed_at: first.zip(last),
        delivered: moments(row, "delivered_to", "delivered_at")?,
        read: moments(row, "read_by", "read_at")?,
    })
}

fn moments(row: &Row, users: &str, times: &str) -> Read<Vec<(UserId, Timestamp)>> {
    let ids: Option<Vec<Uuid>> = column(row, users)?;
    let at: Option<Vec<SystemTime>> = column(row, times)?;
    let moment = |(id, at)| {
        let at = from_instant(at).ok_or_else(|| DatabaseError::unreadable(times))?;
        Ok((UserId(id), at))
    };
    ids.into_iter().flatten().zip(at.into_iter().flatten()).map(moment).collect()
}
