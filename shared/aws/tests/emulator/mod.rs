//! A table, queues and sockets of one test's own, on the emulator that `AWS_ENDPOINT_URL` names.

#![allow(
    clippy::expect_used,
    dead_code,
    reason = "each test takes what it needs; a test whose emulator fails has failed"
)]

pub mod queues;
pub mod scripted;
pub mod smtp;
pub mod sockets;

use std::hash::{BuildHasher, Hasher, RandomState};

use aws::{ClientOptions, Clients, LiveTable, Usage};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};

/// Clients for the emulator; they know no real account.
pub async fn clients() -> Clients {
    clients_at(&endpoint_url()).await
}

pub async fn clients_at(endpoint_url: &str) -> Clients {
    counted_clients_at(endpoint_url, Usage::default()).await
}

pub async fn counted_clients_at(endpoint_url: &str, usage: Usage) -> Clients {
    let credentials = Credentials::builder()
        .access_key_id("test")
        .secret_access_key("test")
        .provider_name("contract tests")
        .build();
    Clients::load(ClientOptions {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint_url.to_owned()),
        credentials: Some(credentials),
        usage,
    })
    .await
}

#[expect(clippy::disallowed_methods, reason = "a test's only setting")]
pub fn endpoint_url() -> String {
    let url = std::env::var("AWS_ENDPOINT_URL")
        .expect("AWS_ENDPOINT_URL must name an emulator: start one with scripts/emulators");
    let is_local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    assert!(
        is_local.iter().any(|start| url.starts_with(start)),
        "AWS_ENDPOINT_URL must name an emulator on this machine"
    );
    url
}

/// A name that no other test or run has.
pub fn unique(name: &str) -> String {
    format!("{name}-{:016x}", RandomState::new().build_hasher().finish())
}

/// A new table as `template.yaml` declares it, without the collection of what expired.
pub async fn table_name(clients: &Clients) -> String {
    let name = unique("live");
    let part = |name: &str, key_type| {
        let element = KeySchemaElement::builder().attribute_name(name).key_type(key_type);
        element.build().expect("a key element")
    };
    let text = |name: &str| {
        let text = AttributeDefinition::builder().attribute_name(name);
        text.attribute_type(ScalarAttributeType::S).build().expect("an attribute")
    };
    let create = clients.dynamodb().create_table().table_name(&name);
    let create = create
        .key_schema(part("pk", KeyType::Hash))
        .key_schema(part("sk", KeyType::Range))
        .attribute_definitions(text("pk"))
        .attribute_definitions(text("sk"))
        .billing_mode(BillingMode::PayPerRequest);
    create.send().await.expect("the emulator makes a table");
    name
}

pub async fn table() -> LiveTable {
    let clients = clients().await;
    let name = table_name(&clients).await;
    LiveTable::new(clients.dynamodb(), name)
}
