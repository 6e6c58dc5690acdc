//! The calls of one message's way to the AWS emulator, alone, one after another.

use std::collections::HashMap;
use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes,
    ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use harness::{Failure, Result, unique_id, unique_name};

use crate::spread::Spread;

const CALLS: usize = 200;
const PASSAGES: u64 = 100;

type Key = HashMap<String, AttributeValue>;

/// A table and a queue of its own.
struct Store {
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    table: String,
    queue: String,
}

/// `whole`: from send to receive of one message at a time.
pub async fn report(endpoint_url: &str, whole: Spread) -> Result<()> {
    let store = Store::create(endpoint_url).await?;
    let lookup = timed("DynamoDB", || store.batch_get()).await?;
    let update = timed("DynamoDB", || store.update()).await?;
    let send = timed("SQS", || store.send()).await?;
    let receive = timed("SQS", || store.receive_one()).await?;
    let passage = store.passage().await?;
    println!("\nemulator calls alone, as one message makes them");
    println!("  BatchGetItem (socket, member)     {lookup}");
    println!("  UpdateItem (rate limit)           {update}");
    println!("  SendMessage (FIFO)                {send}");
    println!("  ReceiveMessage (ready)            {receive}");
    println!("  BatchGetItem (sockets to tell)    as the first one");
    let inside = 2.0 * lookup.p(50.0) + update.p(50.0) + send.p(50.0) + receive.p(50.0);
    let share = 100.0 * inside / whole.p(50.0);
    let whole = whole.p(50.0);
    println!(
        "  their medians add up to {inside:.1} ms of the {whole:.1} ms of 1:1: {share:.0} % inside"
    );
    println!("  emulator calls (DeleteMessage comes after the push and is not on the way)");
    println!("  SendMessage to a long poll        {passage}");
    println!("  (so slow that the gateway looks every 20 ms instead, on average 10 ms of 1:1)");
    store.delete().await
}

async fn timed<F: Future<Output = Result<()>>>(what: &str, call: impl Fn() -> F) -> Result<Spread> {
    let mut spread = Spread::new();
    for _ in 0..CALLS {
        let begun = Instant::now();
        call().await.map_err(|failure| Failure::cannot(format!("time {what}"), failure))?;
        spread.add(begun.elapsed());
    }
    Ok(spread)
}

fn failed(error: impl Display) -> Failure {
    Failure::cannot("use the emulator", error)
}

fn config(endpoint_url: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "bench");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint_url)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn key(pk: &str) -> Key {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text("x"))])
}

impl Store {
    async fn create(endpoint_url: &str) -> Result<Self> {
        let config = config(endpoint_url);
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let sqs = aws_sdk_sqs::Client::new(&config);
        let name = unique_name("bench");
        let mut create = dynamodb.create_table().table_name(&name);
        for (attribute, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            let definition = AttributeDefinition::builder().attribute_name(attribute);
            let definition = definition.attribute_type(ScalarAttributeType::S).build();
            let schema = KeySchemaElement::builder().attribute_name(attribute).key_type(kind);
            create = create
                .attribute_definitions(definition.map_err(failed)?)
                .key_schema(schema.build().map_err(failed)?);
        }
        create.billing_mode(BillingMode::PayPerRequest).send().await.map_err(failed)?;
        for pk in ["connection", "member"] {
            let put = dynamodb.put_item().table_name(&name).set_item(Some(key(pk)));
            put.send().await.map_err(failed)?;
        }
        let create = sqs.create_queue().queue_name(format!("{name}.fifo"));
        let created = create.attributes(QueueAttributeName::FifoQueue, "true").send().await;
        let queue = created.map_err(failed)?.queue_url.unwrap_or_default();
        Ok(Self { dynamodb, sqs, table: name, queue })
    }

    async fn batch_get(&self) -> Result<()> {
        let keys = KeysAndAttributes::builder().keys(key("connection")).keys(key("member"));
        let keys = keys.consistent_read(true).build().map_err(failed)?;
        let get = self.dynamodb.batch_get_item().request_items(&self.table, keys);
        get.send().await.map(|_| ()).map_err(failed)
    }

    async fn update(&self) -> Result<()> {
        let update = self.dynamodb.update_item().table_name(&self.table).set_key(Some(key("rate")));
        let update = update
            .update_expression("SET full_at = :at")
            .expression_attribute_values(":at", AttributeValue::N("1".to_owned()));
        update.send().await.map(|_| ()).map_err(failed)
    }

    async fn send(&self) -> Result<()> {
        let send = self.sqs.send_message().queue_url(&self.queue);
        let send = send
            .message_body("x".repeat(400))
            .message_group_id(unique_id().to_string())
            .message_deduplication_id(unique_id().to_string());
        send.send().await.map(|_| ()).map_err(failed)
    }

    async fn receive_one(&self) -> Result<()> {
        let receive = self.sqs.receive_message().queue_url(&self.queue).max_number_of_messages(1);
        let received = receive.send().await.map_err(failed)?;
        let is_one = received.messages().len() == 1;
        is_one.then_some(()).ok_or_else(|| Failure::new("a message that was sent was not there"))
    }

    /// From a send to the answer of a receiver that waits for it, as the gateway's poller does.
    async fn passage(&self) -> Result<Spread> {
        let mut spread = Spread::new();
        for round in 0..PASSAGES {
            let receive = self.sqs.receive_message().queue_url(&self.queue).wait_time_seconds(5);
            let waiting = tokio::spawn(receive.max_number_of_messages(1).send());
            // The emulator looks into its queues at intervals; no part of one may be preferred.
            tokio::time::sleep(Duration::from_millis(20 + round * 37 % 100)).await;
            let begun = Instant::now();
            self.send().await?;
            waiting.await.map_err(failed)?.map_err(failed)?;
            spread.add(begun.elapsed());
        }
        Ok(spread)
    }

    async fn delete(self) -> Result<()> {
        self.dynamodb.delete_table().table_name(&self.table).send().await.map_err(failed)?;
        self.sqs.delete_queue().queue_url(&self.queue).send().await.map(|_| ()).map_err(failed)
    }
}
