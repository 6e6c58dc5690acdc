//! Tables with their keys and their time to live.

use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification,
};

use crate::model::Table;

/// A new table is usable after this many looks at the latest.
const MAX_LOOKS: u32 = 100;
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn ensure(client: &Client, table: &Table) -> Result<(), Box<dyn Error>> {
    if status(client, &table.name).await?.is_none() {
        create(client, table).await?;
    }
    for _ in 0..MAX_LOOKS {
        if status(client, &table.name).await? == Some(TableStatus::Active) {
            return set_time_to_live(client, table).await;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err("it does not become active".into())
}

async fn status(client: &Client, name: &str) -> Result<Option<TableStatus>, Box<dyn Error>> {
    let found = client.describe_table().table_name(name).send().await;
    match found.map_err(aws_sdk_dynamodb::Error::from) {
        Ok(found) => Ok(found.table.and_then(|table| table.table_status)),
        Err(aws_sdk_dynamodb::Error::ResourceNotFoundException(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn create(client: &Client, table: &Table) -> Result<(), Box<dyn Error>> {
    let mut request =
        client.create_table().table_name(&table.name).billing_mode(BillingMode::PayPerRequest);
    let keys =
        [(Some(&table.partition_key), KeyType::Hash), (table.sort_key.as_ref(), KeyType::Range)];
    for (key, role) in keys {
        let Some((name, kind)) = key else { continue };
        let element = KeySchemaElement::builder().attribute_name(name).key_type(role).build()?;
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::from(kind.as_str()))
            .build()?;
        request = request.key_schema(element).attribute_definitions(attribute);
    }
    request.send().await?;
    Ok(())
}

/// Setting it twice is an error, so it is asked for first.
async fn set_time_to_live(client: &Client, table: &Table) -> Result<(), Box<dyn Error>> {
    let Some(attribute) = &table.ttl_attribute else { return Ok(()) };
    let known = client.describe_time_to_live().table_name(&table.name).send().await?;
    let known = known.time_to_live_description.and_then(|known| known.attribute_name);
    if known.as_ref() == Some(attribute) {
        return Ok(());
    }
    let specification =
        TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build()?;
    let request = client.update_time_to_live().table_name(&table.name);
    request.time_to_live_specification(specification).send().await?;
    Ok(())
}
