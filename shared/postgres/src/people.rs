//! `Acquaintances`: who knows whom.

use async_trait::async_trait;
use domain::{ConversationId, UserId};
use service::port::{Acquaintance, Acquaintances, Failure};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::conversations::PgConversations;
use crate::database::Parameter;
use crate::query;
use crate::row::{Read, column, user_id};

#[async_trait]
impl Acquaintances for PgConversations {
    async fn among(&self, user: UserId, people: &[UserId]) -> Result<Vec<Acquaintance>, Failure> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let people: Vec<Uuid> = people.iter().map(|person| person.0).collect();
        let parameters: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&people, Type::UUID_ARRAY)];
        let rows = self.database.query(query::AMONG, &parameters).await?;
        let known: Read<Vec<_>> = rows.iter().map(acquaintance).collect();
        Ok(known?)
    }

    async fn peers(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        limit: usize,
    ) -> Result<Option<Vec<UserId>>, Failure> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 3] =
            [(&conversation_id.0, Type::UUID), (&user.0, Type::UUID), (&limit, Type::INT8)];
        let rows = self.database.query(query::PEERS, &parameters).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        // The row that stands for nobody has no id.
        let peers: Read<Vec<Option<Uuid>>> =
            rows.iter().map(|row| column(row, "user_id")).collect();
        Ok(Some(peers?.into_iter().flatten().map(UserId).collect()))
    }
}

fn acquaintance(row: &Row) -> Read<Acquaintance> {
    Ok(Acquaintance {
        user_id: user_id(row, "id")?,
        shares_last_seen: column(row, "share_last_seen")?,
    })
}
