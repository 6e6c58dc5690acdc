//! `ReceiptStore`: how far each member has got.

use async_trait::async_trait;
use domain::{ConversationId, Marks, UserId, limits};
use service::MemberMarks;
use service::port::{Failure, RaisedMarks, ReceiptClaim, ReceiptStore};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::{Database, Parameter};
use crate::query;
use crate::row::{Read, column, recipients, seq, user_id};

/// Receipts.
pub struct PgReceipts {
    database: Database,
}

impl PgReceipts {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ReceiptStore for PgReceipts {
    async fn raise(&self, claims: &[ReceiptClaim]) -> Result<Vec<RaisedMarks>, Failure> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        let conversations: Vec<Uuid> = claims.iter().map(|claim| claim.conversation_id.0).collect();
        let users: Vec<Uuid> = claims.iter().map(|claim| claim.user_id.0).collect();
        let delivered: Vec<Option<i64>> =
            claims.iter().map(|claim| claim.delivered.map(|seq| seq.0)).collect();
        let read: Vec<Option<i64>> =
            claims.iter().map(|claim| claim.read.map(|seq| seq.0)).collect();
        let authors = i64::try_from(limits::RECEIPT_AUTHORS).unwrap_or(i64::MAX);
        let messages = i64::try_from(limits::RECEIPT_MESSAGES).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 6] = [
            (&conversations, Type::UUID_ARRAY),
            (&users, Type::UUID_ARRAY),
            (&delivered, Type::INT8_ARRAY),
            (&read, Type::INT8_ARRAY),
            (&authors, Type::INT8),
            (&messages, Type::INT8),
        ];
        let rows = self.database.query(query::RAISE_MARKS, &parameters).await?;
        let raised: Read<Vec<_>> = rows.iter().map(raised).collect();
        Ok(raised?)
    }

    async fn standing(&self, claims: &[ReceiptClaim]) -> Result<Vec<RaisedMarks>, Failure> {
        let conversations: Vec<Uuid> = claims.iter().map(|claim| claim.conversation_id.0).collect();
        let users: Vec<Uuid> = claims.iter().map(|claim| claim.user_id.0).collect();
        let authors = i64::try_from(limits::RECEIPT_AUTHORS).unwrap_or(i64::MAX);
        let messages = i64::try_from(limits::RECEIPT_MESSAGES).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 4] = [
            (&conversations, Type::UUID_ARRAY),
            (&users, Type::UUID_ARRAY),
            (&authors, Type::INT8),
            (&messages, Type::INT8),
        ];
        let rows = self.database.query(query::STANDING_MARKS, &parameters).await?;
        let standing: Read<Vec<_>> = rows.iter().map(raised).collect();
        Ok(standing?)
    }

    async fn marks(
        &self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<Option<Vec<MemberMarks>>, Failure> {
        let parameters: [Parameter<'_>; 2] =
            [(&conversation_id.0, Type::UUID), (&user.0, Type::UUID)];
        let rows = self.database.query(query::MARKS, &parameters).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let marks: Read<Vec<_>> = rows.iter().map(member_marks).collect();
        Ok(Some(marks?))
    }
}

fn raised(row: &Row) -> Read<RaisedMarks> {
    let user_id = user_id(row, "user_id")?;
    let after = Marks { delivered: seq(row, "delivered")?, read: seq(row, "read")? };
    let shown = Marks { read: seq(row, "shown_read")?, ..after };
    Ok(RaisedMarks {
        conversation_id: ConversationId(column(row, "conversation_id")?),
        user_id,
        before: Marks { delivered: seq(row, "delivered_before")?, read: seq(row, "read_before")? },
        after,
        shown: MemberMarks { user_id, marks: shown },
        authors: recipients(row, "author_ids", "author_joined")?,
    })
}

fn member_marks(row: &Row) -> Read<MemberMarks> {
    let marks = Marks { delivered: seq(row, "delivered")?, read: seq(row, "read")? };
    Ok(MemberMarks { user_id: user_id(row, "user_id")?, marks })
}
