//! The public keys.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use service::port::{Failure, KeyDirectory, PublicKey};

use super::item::{self, Item};
use super::{Key, LiveTable, WHAT};
use crate::call;

/// What every name of a key starts with.
const PREFIX: &str = "k#";
/// As that, of when a key is over: seconds since 1970, written by `scripts/rotate-keys`.
const END_PREFIX: &str = "e#";

#[async_trait]
impl KeyDirectory for LiveTable {
    async fn publish(&self, key: PublicKey) -> Result<(), Failure> {
        let update = self.client.update_item().table_name(&self.table_name);
        let update = update
            .set_key(Some(Key::public_keys().attributes()))
            .update_expression("SET #key = :x REMOVE #end")
            .expression_attribute_names("#end", format!("{END_PREFIX}{}", key.kid))
            .expression_attribute_names("#key", format!("{PREFIX}{}", key.kid))
            .expression_attribute_values(":x", item::text(&key.x));
        update.send().await.map_err(|error| call::failure(WHAT, error))?;
        Ok(())
    }

    async fn keys(&self, now: Timestamp) -> Result<Vec<PublicKey>, Failure> {
        let found = self.read(&Key::public_keys()).await?.unwrap_or_default();
        let item = Item { kind: "K#", attributes: &found };
        let is_over = |kid: &str| match found.get(&format!("{END_PREFIX}{kid}")) {
            None => Ok(false),
            Some(AttributeValue::N(end)) => {
                let end: i64 = end.parse().map_err(|_| item.malformed(END_PREFIX))?;
                Ok(end <= now.unix_seconds())
            }
            Some(_) => Err(item.malformed(END_PREFIX)),
        };
        let key = |(name, value): (&String, &AttributeValue)| {
            let kid = name.strip_prefix(PREFIX)?;
            let AttributeValue::S(x) = value else { return Some(Err(item.malformed(PREFIX))) };
            match is_over(kid) {
                Ok(true) => None,
                Ok(false) => Some(Ok(PublicKey { kid: kid.to_owned(), x: x.clone() })),
                Err(failure) => Some(Err(failure)),
            }
        };
        found.iter().filter_map(key).collect()
    }
}
