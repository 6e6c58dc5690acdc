//! Tickets for the upgrade.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::Timestamp;
use service::Identity;
use service::port::{Failure, TicketStore};

use super::item::{self, Item};
use super::{Key, LiveTable, WHAT};
use crate::call;

#[async_trait]
impl TicketStore for LiveTable {
    async fn issue(
        &self,
        digest: &str,
        identity: Identity,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        let put = self.client.put_item().table_name(&self.table_name);
        let put = put
            .set_item(Some(Key::ticket(digest).attributes()))
            .item("user", item::text(identity.user_id))
            .item("session", item::text(identity.session_id))
            .item("expires_ms", item::time(expires_at))
            .item("expires_at", item::expiry(expires_at));
        put.send().await.map_err(|error| call::failure(WHAT, error))?;
        Ok(())
    }

    /// One conditional delete, so that of two at once one gets the old item.
    async fn redeem(&self, digest: &str, now: Timestamp) -> Result<Option<Identity>, Failure> {
        let delete = self.client.delete_item().table_name(&self.table_name);
        let answer = delete
            .set_key(Some(Key::ticket(digest).attributes()))
            .condition_expression("expires_ms > :now")
            .expression_attribute_values(":now", item::time(now))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let attributes = match answer {
            Ok(answer) => answer.attributes,
            Err(SdkError::ServiceError(refused))
                if refused.err().is_conditional_check_failed_exception() =>
            {
                None
            }
            Err(error) => return Err(call::failure(WHAT, error)),
        };
        let identity = attributes.map(|attributes| {
            let item = Item { kind: "T#", attributes: &attributes };
            Ok(Identity { user_id: item.text("user")?, session_id: item.text("session")? })
        });
        identity.transpose()
    }
}
