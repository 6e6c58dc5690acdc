//! A look into the live table, past everything of ours.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{Failure, Result, System};

/// The table of one system.
pub(crate) struct LiveTable {
    client: aws_sdk_dynamodb::Client,
    name: String,
}

impl LiveTable {
    pub(crate) fn of(system: &System) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "harness");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(system.aws_endpoint_url())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let client = aws_sdk_dynamodb::Client::new(&config);
        Self { client, name: format!("{}-live", system.stack()) }
    }

    /// Whether pushes for its user go to this socket too.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(crate) async fn hears(&self, connection: &str) -> Result<bool> {
        let record = self.item(&format!("C#{connection}"), "C").await?;
        let user = record.get("user").and_then(|user| user.as_s().ok());
        let Some(user) = user else { return Ok(false) };
        let live = self.item(&format!("U#{user}"), "LIVE").await?;
        Ok(live.contains_key(&format!("c#{connection}")))
    }

    async fn item(
        &self,
        pk: &str,
        sk: &str,
    ) -> Result<std::collections::HashMap<String, AttributeValue>> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let got = get.key("pk", text(pk)).key("sk", text(sk)).send().await;
        let got =
            got.map_err(|e| Failure::cannot("look into the live table", e.into_service_error()))?;
        Ok(got.item.unwrap_or_default())
    }
}
