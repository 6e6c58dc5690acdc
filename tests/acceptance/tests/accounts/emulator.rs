//! A look into SQS, SES and Secrets Manager, where a story needs to stand behind the scenes; and
//! the scripts that operators use there.

use std::process::{Command, Output};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::types::QueueAttributeName;
use harness::{Mailbox, System, aws_endpoint_url, root_directory};
use reqwest::Method;
use serde_json::json;

fn config() -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "acceptance");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(aws_endpoint_url().unwrap())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// What signs access tokens is derived from this.
pub async fn signing_secret(system: &System) -> String {
    let client = aws_sdk_secretsmanager::Client::new(&config());
    let asked = client.get_secret_value().secret_id(format!("{}/signing", system.stack()));
    asked.send().await.unwrap().secret_string.unwrap()
}

/// The mails of every system on this emulator.
pub fn mailbox() -> Mailbox {
    Mailbox::of(&aws_endpoint_url().unwrap()).unwrap()
}

/// SES sends for this address from now on.
pub async fn verify_sender(address: &str) {
    let emulator = harness::Api::new(&aws_endpoint_url().unwrap()).unwrap();
    let identity = json!({ "EmailIdentity": address });
    let request = emulator.request(Method::POST, "/v2/email/identities").json(&identity);
    emulator.send(request).await.unwrap().expect_status(200).unwrap();
}

async fn queue(system: &System, name: &str) -> (Client, String) {
    let client = Client::new(&config());
    let asked = client.get_queue_url().queue_name(format!("{}-{name}", system.stack()));
    let url = asked.send().await.unwrap().queue_url.unwrap();
    (client, url)
}

/// What fails in this queue comes again after a second, in place of the minutes of the template.
pub async fn hasten(system: &System, name: &str) {
    let_fail_for(system, name, 1).await;
}

/// The end of [`hasten`]: whoever works on something of this queue may take more than a second.
pub async fn hasten_no_more(system: &System, name: &str) {
    let_fail_for(system, name, 180).await;
}

async fn let_fail_for(system: &System, name: &str, seconds: u32) {
    let (client, url) = queue(system, name).await;
    let set = client.set_queue_attributes().queue_url(url);
    let set = set.attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string());
    set.send().await.unwrap();
    // What a poll that has begun before receives, it receives for minutes. The gateway's take a
    // second at most.
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// How many messages a queue of this stack shows to its alarm.
pub async fn waiting(system: &System, name: &str) -> u64 {
    let (client, url) = queue(system, name).await;
    let count = QueueAttributeName::ApproximateNumberOfMessages;
    let asked = client.get_queue_attributes().queue_url(url).attribute_names(count.clone());
    let attributes = asked.send().await.unwrap().attributes.unwrap_or_default();
    attributes.get(&count).map_or(0, |count| count.parse().unwrap())
}

/// What a script of the repository says about this system.
pub async fn script(system: &System, name: &str, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = ran(system, name, arguments).await;
    let (said, errors) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{name} {arguments:?}: {said} {errors}");
    said.into_owned()
}

/// What a script says when it does not do what it is asked.
pub async fn refusal(system: &System, name: &str, arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = ran(system, name, arguments).await;
    assert!(!status.success(), "{name} {arguments:?}");
    String::from_utf8_lossy(&stderr).into_owned()
}

async fn ran(system: &System, name: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(root_directory().join("scripts").join(name));
    command.args(arguments).env("CONFAB_STACK", system.stack());
    command.env("AWS_ENDPOINT_URL", system.aws_endpoint_url());
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}
