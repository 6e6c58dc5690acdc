//! What the event source mappings promise, with the emulator's real queues.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at a surprise")]

mod gateway_support;

use std::collections::BTreeMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use gateway_support::{Gateway, emulator, eventually, fresh_stack, sdk};
use serde_json::Value;

struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    async fn of(gateway: &Gateway, name: &str) -> Self {
        let client = Client::new(&sdk().await);
        let name = format!("{}-{name}", gateway.stack);
        let url = client.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap();
        Self { client, url }
    }

    /// In one call, so that the queue has all of them before any is taken.
    async fn send(&self, messages: &[(&str, &str)]) {
        let is_fifo = self.url.ends_with(".fifo");
        for chunk in messages.chunks(10) {
            let mut request = self.client.send_message_batch().queue_url(&self.url);
            for (index, (group, body)) in chunk.iter().enumerate() {
                let mut entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(*body);
                if is_fifo {
                    entry = entry
                        .message_group_id(*group)
                        .message_deduplication_id(format!("{group}-{body}"));
                }
                request = request.entries(entry.build().unwrap());
            }
            assert_eq!(request.send().await.unwrap().failed().len(), 0);
        }
    }

    async fn is_empty(&self) -> bool {
        let attributes = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .unwrap();
        let count = |name| attributes.attributes().unwrap()[&name].clone();
        count(QueueAttributeName::ApproximateNumberOfMessages) == "0"
            && count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible) == "0"
    }
}

fn by_group(record: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in record {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        groups.entry(text("group")).or_default().push(text("body"));
    }
    groups
}

#[tokio::test]
async fn messages_of_a_group_arrive_once_and_in_order() {
    let gateway = Gateway::start(&fresh_stack(), &["--parameter", "Concurrency=3"]);
    let queue = Queue::of(&gateway, "ordered.fifo").await;
    let bodies: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    let groups = ["a", "b", "c", "d"];
    let all: Vec<(&str, &str)> =
        bodies.iter().enumerate().map(|(index, body)| (groups[index % 4], body.as_str())).collect();
    queue.send(&all).await;
    eventually("all have arrived", async || gateway.record().len() >= 40).await;
    eventually("the queue is empty", async || queue.is_empty().await).await;
    let arrived = by_group(&gateway.record());
    for (index, group) in groups.iter().enumerate() {
        let expected: Vec<String> = bodies.iter().skip(index).step_by(4).cloned().collect();
        assert_eq!(arrived[*group], expected, "group {group}");
    }
}

#[tokio::test]
async fn only_a_message_that_failed_comes_again() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    let queue = Queue::of(&gateway, "ordered.fifo").await;
    queue.send(&[("a", "first"), ("a", "FAIL"), ("b", "other")]).await;
    let again = |entry: &Value| entry["body"] == "FAIL" && entry["count"] == "2";
    eventually("it has come again", async || gateway.record().iter().any(again)).await;
    eventually("the queue is empty", async || queue.is_empty().await).await;
    let count = |body: &str| gateway.bodies().iter().filter(|known| *known == body).count();
    assert_eq!([count("first"), count("other"), count("FAIL")], [1, 1, 2]);
}

#[tokio::test]
async fn a_function_error_keeps_the_whole_batch() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    let queue = Queue::of(&gateway, "ordered.fifo").await;
    let visibility = queue.client.set_queue_attributes().queue_url(&queue.url);
    visibility.attributes(QueueAttributeName::VisibilityTimeout, "1").send().await.unwrap();
    queue.send(&[("a", "innocent"), ("a", "THROW")]).await;
    let count = |body: &str| gateway.bodies().iter().filter(|known| *known == body).count();
    eventually("both come again", async || count("innocent") > 1 && count("THROW") > 1).await;
    assert!(!queue.is_empty().await);
}

#[tokio::test]
async fn a_standard_queue_fills_its_batches_within_the_window() {
    let gateway = Gateway::start(&fresh_stack(), &[]);
    let queue = Queue::of(&gateway, "loose").await;
    let bodies: Vec<String> = (0..5).map(|number| number.to_string()).collect();
    for body in &bodies {
        queue.send(&[("", body.as_str())]).await;
    }
    eventually("all have arrived", async || gateway.record().len() == 5).await;
    eventually("the queue is empty", async || queue.is_empty().await).await;
    let record = gateway.record();
    assert!(record.iter().any(|entry| entry["batch"].as_u64() > Some(1)), "{record:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pollers_survive_an_emulator_that_goes_away() {
    let proxy = Proxy::start().await;
    let gateway = Gateway::start_on(&fresh_stack(), &proxy.url, &[]);
    let queue = Queue::of(&gateway, "ordered.fifo").await;
    queue.send(&[("a", "before")]).await;
    eventually("the first has arrived", async || gateway.bodies() == ["before"]).await;
    eventually("the queue is empty", async || queue.is_empty().await).await;
    proxy.go_away();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    queue.send(&[("a", "during")]).await;
    proxy.come_back();
    eventually("the second has arrived", async || gateway.bodies().len() >= 2).await;
    eventually("the queue is empty", async || queue.is_empty().await).await;
    assert_eq!(gateway.bodies()[..2], ["before", "during"]);
}

/// Stands between the gateway and the emulator, and can break every connection.
struct Proxy {
    url: String,
    is_away: tokio::sync::watch::Sender<bool>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (is_away, away) = tokio::sync::watch::channel(false);
        let target = emulator().replace("http://", "").trim_end_matches('/').to_owned();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (target, mut away) = (target.clone(), away.clone());
                tokio::spawn(async move {
                    if *away.borrow() {
                        return;
                    }
                    let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = away.wait_for(|away| *away) => {}
                    }
                });
            }
        });
        Self { url, is_away }
    }

    fn go_away(&self) {
        self.is_away.send(true).unwrap();
    }

    fn come_back(&self) {
        self.is_away.send(false).unwrap();
    }
}
