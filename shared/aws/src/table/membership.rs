//! Copies of memberships, and the question before a message is accepted.

use async_trait::async_trait;
use domain::{ConnectionId, ConversationId, UserId};
use futures::{StreamExt, TryStreamExt};
use service::port::{Failure, MembershipCopies, MembershipCopy, SendGate, Standing};

use super::connections::recorded;
use super::item::{self, Item};
use super::{Attributes, Key, LiveTable, WHAT, is_condition_failed};
use crate::call;

/// Copies written at once. DynamoDB has no conditional write of many items that is not a
/// transaction, and a transaction costs twice as much.
const CONCURRENT_WRITES: usize = 16;

#[async_trait]
impl MembershipCopies for LiveTable {
    async fn write(&self, copies: &[MembershipCopy]) -> Result<(), Failure> {
        let writes: Vec<_> = copies.iter().map(|copy| self.write_one(copy)).collect();
        let written = futures::stream::iter(writes).buffer_unordered(CONCURRENT_WRITES);
        written.try_collect().await
    }
}

impl LiveTable {
    async fn write_one(&self, copy: &MembershipCopy) -> Result<(), Failure> {
        let update = self.client.update_item().table_name(&self.table_name);
        let answer = update
            .set_key(Some(Key::membership(copy.conversation_id, copy.user_id).attributes()))
            .update_expression("SET #active = :active, #version = :version")
            .condition_expression("attribute_not_exists(#version) OR #version < :version")
            // By placeholder, so that no word that DynamoDB reserves can be in the way.
            .expression_attribute_names("#active", "active")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":active", item::truth(copy.is_active))
            .expression_attribute_values(":version", item::number(copy.version.0))
            .send()
            .await;
        match answer {
            Err(error) if !is_condition_failed(&error) => Err(call::failure(WHAT, error)),
            _ => Ok(()),
        }
    }
}

fn is_active(found: Option<&Attributes>) -> Result<bool, Failure> {
    found.map_or(Ok(false), |attributes| Item { kind: "V#", attributes }.truth("active"))
}

#[async_trait]
impl SendGate for LiveTable {
    /// One BatchGetItem when this process has seen the connection before, else one more read.
    async fn of_connection(
        &self,
        connection_id: &ConnectionId,
        conversation_id: ConversationId,
    ) -> Result<Standing, Failure> {
        let supposed = self.owners.of(connection_id);
        let membership = supposed.map(|user| Key::membership(conversation_id, user));
        let connection = Key::connection(connection_id);
        let keys: Vec<_> = std::iter::once(connection.clone()).chain(membership.clone()).collect();
        let found = self.read_many(&keys, true).await?;
        let at = |key: &Key| found.iter().find(|item| key.is_of(item));
        let Some(record) = at(&connection) else {
            self.owners.forget(connection_id);
            return Ok(Standing { connection: None, is_member: false });
        };
        let connection = recorded(connection_id, record)?.connection;
        let user = connection.identity.user_id;
        let is_member = match membership.filter(|_| supposed == Some(user)) {
            Some(membership) => is_active(at(&membership))?,
            None => {
                self.owners.note(connection_id, user);
                self.is_member(user, conversation_id).await?
            }
        };
        Ok(Standing { connection: Some(connection), is_member })
    }

    async fn is_member(
        &self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<bool, Failure> {
        let found = self.read(&Key::membership(conversation_id, user)).await?;
        is_active(found.as_ref())
    }
}
