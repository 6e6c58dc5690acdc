//! Tables, queues, buckets and secrets: what must exist before a function starts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::resource::{Resource, whole_number};
use super::scope::Scope;
use crate::model::{Queue, Resources, Secret, Table};

/// Queue properties that `CreateQueue` takes under the same name.
const QUEUE_ATTRIBUTES: [&str; 8] = [
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

/// Secrets Manager's default for a generated secret.
const DEFAULT_SECRET_LENGTH: u32 = 32;

pub(super) fn read(scope: &Scope<'_>) -> Resources {
    let of = |kind: &str| scope.resources_of(kind);
    Resources {
        tables: of("AWS::DynamoDB::Table").iter().filter_map(table).collect(),
        queues: of("AWS::SQS::Queue").iter().filter_map(queue).collect(),
        buckets: of("AWS::S3::Bucket").iter().filter_map(name).collect(),
        secrets: of("AWS::SecretsManager::Secret").iter().filter_map(secret).collect(),
    }
}

fn name(resource: &Resource<'_>) -> Option<String> {
    resource.scope.physical_name(resource.id, resource.id)
}

fn table(resource: &Resource<'_>) -> Option<Table> {
    let schema = resource.value("KeySchema");
    let attributes = resource.value("AttributeDefinitions");
    let partition_key = key(schema.as_ref()?, attributes.as_ref()?, "HASH");
    if partition_key.is_none() {
        resource.problem("KeySchema", "has no HASH key with an attribute definition");
    }
    let ttl = resource.value("TimeToLiveSpecification");
    let ttl_name = ttl.as_ref().and_then(|ttl| ttl.get("AttributeName")).and_then(Value::as_str);
    Some(Table {
        name: name(resource)?,
        partition_key: partition_key?,
        sort_key: key(schema.as_ref()?, attributes.as_ref()?, "RANGE"),
        ttl_attribute: ttl_name.map(str::to_owned),
    })
}

fn key(schema: &Value, attributes: &Value, role: &str) -> Option<(String, String)> {
    let entry = schema.as_array()?.iter().find(|entry| entry["KeyType"] == role)?;
    let name = entry["AttributeName"].as_str()?;
    let attribute = attributes.as_array()?.iter().find(|a| a["AttributeName"] == name)?;
    Some((name.to_owned(), attribute["AttributeType"].as_str()?.to_owned()))
}

fn queue(resource: &Resource<'_>) -> Option<Queue> {
    let name = name(resource)?;
    let mut attributes = BTreeMap::new();
    for attribute in QUEUE_ATTRIBUTES {
        if let Some(text) = resource.text(attribute) {
            attributes.insert(attribute.to_owned(), text);
        }
    }
    if let Some(policy) = resource.value("RedrivePolicy") {
        attributes.insert("RedrivePolicy".to_owned(), redrive(resource, &policy)?);
    }
    let fifo = resource.text("FifoQueue").as_deref() == Some("true");
    if fifo != name.ends_with(".fifo") {
        resource
            .problem("QueueName", format!("{name}: FifoQueue and the ending .fifo go together"));
    }
    Some(Queue { name, fifo, attributes })
}

fn redrive(resource: &Resource<'_>, policy: &Value) -> Option<String> {
    let target = policy.get("deadLetterTargetArn").and_then(Value::as_str);
    let receives = policy.get("maxReceiveCount").and_then(whole_number);
    match (target, receives) {
        (Some(target), Some(receives)) => {
            Some(json!({ "deadLetterTargetArn": target, "maxReceiveCount": receives }).to_string())
        }
        _ => {
            resource.problem("RedrivePolicy", "needs deadLetterTargetArn and maxReceiveCount");
            None
        }
    }
}

fn secret(resource: &Resource<'_>) -> Option<Secret> {
    let name = name(resource)?;
    let Some(generate) = resource.value("GenerateSecretString") else {
        resource.problem("GenerateSecretString", "is missing: the gateway generates secrets only");
        return None;
    };
    if generate.get("SecretStringTemplate").is_some() {
        let at = "GenerateSecretString.SecretStringTemplate";
        resource.problem(at, "is not supported: the gateway makes plain secrets only");
    }
    let length = generate.get("PasswordLength").map_or(Some(DEFAULT_SECRET_LENGTH), whole_number);
    match length.and_then(|length| usize::try_from(length).ok()) {
        Some(length) => Some(Secret { name, length }),
        None => {
            resource.problem("GenerateSecretString.PasswordLength", "is not a whole number");
            None
        }
    }
}
