//! A look into DynamoDB and SQS, where a story needs to stand behind the scenes.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use harness::{System, aws_endpoint_url};

fn config() -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "acceptance");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(aws_endpoint_url().unwrap())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// The table of everything live.
pub struct Table {
    client: aws_sdk_dynamodb::Client,
    name: String,
}

impl Table {
    pub fn of(system: &System) -> Self {
        let client = aws_sdk_dynamodb::Client::new(&config());
        Self { client, name: format!("{}-live", system.stack()) }
    }

    async fn attributes(&self, pk: &str, sk: &str) -> Vec<String> {
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let got = get.key("pk", text(pk)).key("sk", text(sk)).send().await.unwrap();
        got.item.unwrap_or_default().into_keys().collect()
    }

    pub async fn has_attribute(&self, pk: &str, sk: &str, attribute: &str) -> bool {
        self.attributes(pk, sk).await.iter().any(|name| name == attribute)
    }

    /// The sockets in a user's item.
    pub async fn connections(&self, pk: &str) -> usize {
        let names = self.attributes(pk, "LIVE").await;
        names.iter().filter(|name| name.starts_with("c#")).count()
    }

    pub async fn set(&self, pk: &str, sk: &str, attribute: &str, value: AttributeValue) {
        let update = self.client.update_item().table_name(&self.name);
        let update = update.key("pk", text(pk)).key("sk", text(sk));
        let update = update.update_expression("SET #name = :value");
        let update = update.expression_attribute_names("#name", attribute);
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }
}

pub fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The bodies of what was put aside, without taking it away.
pub async fn quarantined(system: &System) -> Vec<String> {
    let client = aws_sdk_sqs::Client::new(&config());
    let name = format!("{}-quarantined-messages.fifo", system.stack());
    let url = client.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let receive = client.receive_message().queue_url(url).visibility_timeout(0);
    let received = receive.max_number_of_messages(10).send().await.unwrap();
    received.messages().iter().filter_map(|message| message.body.clone()).collect()
}

/// How many messages a queue of this stack shows to its alarm.
pub async fn waiting(system: &System, queue: &str) -> u64 {
    let client = aws_sdk_sqs::Client::new(&config());
    let name = format!("{}-{queue}", system.stack());
    let url = client.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let count = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages;
    let asked = client.get_queue_attributes().queue_url(url).attribute_names(count.clone());
    let attributes = asked.send().await.unwrap().attributes.unwrap_or_default();
    attributes.get(&count).map_or(0, |count| count.parse().unwrap())
}
