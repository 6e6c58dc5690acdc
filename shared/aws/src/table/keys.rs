//! The public keys.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use service::port::{Failure, KeyDirectory, PublicKey};

use super::item::{self, Item};
use super::{Key, LiveTable, WHAT};
use crate::call;

/// What every name of a key starts with.
const PREFIX: &str = "k#";

#[async_trait]
impl KeyDirectory for LiveTable {
    async fn publish(&self, key: PublicKey) -> Result<(), Failure> {
        let update = self.client.update_item().table_name(&self.table_name);
        let update = update
            .set_key(Some(Key::public_keys().attributes()))
            .update_expression("SET #key = :x")
            .expression_attribute_names("#key", format!("{PREFIX}{}", key.kid))
            .expression_attribute_values(":x", item::text(&key.x));
        update.send().await.map_err(|error| call::failure(WHAT, error))?;
        Ok(())
    }

    async fn keys(&self) -> Result<Vec<PublicKey>, Failure> {
        let found = self.read(&Key::public_keys()).await?.unwrap_or_default();
        let item = Item { kind: "K#", attributes: &found };
        let key = |(name, value): (&String, &AttributeValue)| {
            let kid = name.strip_prefix(PREFIX)?.to_owned();
            Some(match value {
                AttributeValue::S(x) => Ok(PublicKey { kid, x: x.clone() }),
                _ => Err(item.malformed(PREFIX)),
            })
        };
        found.iter().filter_map(key).collect()
    }
}
