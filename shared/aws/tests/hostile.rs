//! What the adapters make of a table, a gateway and a network that misbehave.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod emulator;

use aws::{LiveTable, ManagementPusher};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ConnectionId, TokenBucket};
use emulator::sockets::gateway;
use emulator::{clients, clients_at, table_name};
use service::port::{
    ConnectionStore, Failure, KeyDirectory, MembershipCopies, Probe, PublicKey, PushOutcome,
    Pusher, RateLimiter, SendGate, TicketStore,
};
use testkit::ambient::{SeededEntropy, at_ms};
use testkit::contract::live::sample::{
    connection, connection_id, conversation, message, message_rejected, messages_new, user,
};
use tokio::net::TcpListener;

/// A table, and a way to put things into it that the adapter never would.
struct Tampered {
    table: LiveTable,
    client: aws_sdk_dynamodb::Client,
    name: String,
}

impl Tampered {
    async fn new() -> Self {
        let clients = clients().await;
        let name = table_name(&clients).await;
        let table = LiveTable::new(clients.dynamodb(), &name);
        Self { table, client: clients.dynamodb(), name }
    }

    async fn put(&self, pk: &str, sk: &str, attribute: &str, value: AttributeValue) {
        let put = self.client.put_item().table_name(&self.name);
        let put = put.item("pk", AttributeValue::S(pk.to_owned()));
        let put = put.item("sk", AttributeValue::S(sk.to_owned())).item(attribute, value);
        put.send().await.unwrap();
    }

    /// One attribute of an item that may be there.
    async fn set(&self, pk: &str, sk: &str, attribute: &str, value: AttributeValue) {
        let update = self.client.update_item().table_name(&self.name);
        let update = update.key("pk", AttributeValue::S(pk.to_owned()));
        let update = update.key("sk", AttributeValue::S(sk.to_owned()));
        let update = update.update_expression("SET #attribute = :value");
        let update = update.expression_attribute_names("#attribute", attribute);
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }

    async fn count(&self) -> i32 {
        self.client.scan().table_name(&self.name).send().await.unwrap().count
    }
}

fn is_bug_of<T: std::fmt::Debug>(kind: &str, answer: Result<T, Failure>) {
    let failure = answer.unwrap_err();
    assert!(matches!(failure, Failure::Bug { .. }), "{failure:?}");
    let why = std::error::Error::source(&failure).unwrap().to_string();
    assert!(why.contains(kind), "{why}");
}

#[tokio::test]
async fn a_malformed_item_is_a_bug_that_names_its_kind() {
    let tampered = Tampered::new().await;
    let table = &tampered.table;
    let text = || AttributeValue::S("wrong".to_owned());
    let id = connection_id("a");
    let member = format!("V#{}/{}", conversation(1), user(1));
    tampered.put(&format!("C#{id}"), "C", "user", text()).await;
    tampered.put(&format!("U#{}", user(1)), "LIVE", "c#x", text()).await;
    tampered.put(&member, "V", "active", text()).await;
    tampered.put("R#scope", "R", "full_at", text()).await;
    tampered.put("K#jwks", "K", "k#kid", AttributeValue::Bool(true)).await;
    tampered.put("T#digest", "T", "expires_ms", AttributeValue::N("9e15".to_owned())).await;

    is_bug_of("C#", table.get(&id).await);
    is_bug_of("C#", table.touch(&id, at_ms(0)).await);
    is_bug_of("C#", table.of_connection(&id, conversation(1)).await);
    is_bug_of("C#", table.close(&id, at_ms(0)).await);
    is_bug_of("U#", table.of_users(&[user(1)], at_ms(0)).await);
    is_bug_of("V#", table.is_member(user(1), conversation(1)).await);
    let bucket = TokenBucket::per_second(1, 1);
    is_bug_of("R#", table.take("scope", bucket, 1, at_ms(0)).await);
    is_bug_of("K#", table.keys(at_ms(0)).await);
    is_bug_of("T#", table.redeem("digest", at_ms(0)).await);
}

#[tokio::test]
async fn pruning_nothing_leaves_no_item_behind() {
    let tampered = Tampered::new().await;
    tampered.table.prune(&connection("a", 1, at_ms(0))).await.unwrap();
    assert_eq!(tampered.count().await, 0);
}

#[tokio::test]
async fn a_table_that_is_there_is_healthy_and_one_that_is_not_is_a_bug() {
    let clients = clients().await;
    let name = table_name(&clients).await;
    let table = LiveTable::new(clients.dynamodb(), name);
    assert_eq!(table.name(), "dynamodb");
    table.check().await.unwrap();
    let missing = LiveTable::new(clients.dynamodb(), "no-such-table");
    assert!(matches!(missing.check().await, Err(Failure::Bug { .. })));
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_unavailable() {
    // A port that was free a moment ago and that nobody listens on.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let clients = clients_at(&format!("http://{address}")).await;
    let table = LiveTable::new(clients.dynamodb(), "any");
    assert!(matches!(table.check().await, Err(Failure::Unavailable { .. })));
    assert!(matches!(table.write(&[]).await, Ok(())));
    let secret = aws::secrets::read(&clients.secrets(), "any").await;
    assert!(matches!(secret, Err(Failure::Unavailable { .. })));
}

#[tokio::test]
async fn a_secret_is_read_and_a_missing_one_is_a_bug() {
    let clients = clients().await;
    let name = emulator::unique("secret");
    let create = clients.secrets().create_secret().name(&name).secret_string("s3cret");
    create.send().await.unwrap();
    assert_eq!(aws::secrets::read(&clients.secrets(), &name).await.unwrap(), "s3cret");
    let missing = aws::secrets::read(&clients.secrets(), "missing").await;
    assert!(matches!(missing, Err(Failure::Bug { .. })));
}

#[tokio::test]
async fn a_gateway_that_fails_is_asked_twice_and_one_that_refuses_once() {
    for (status, calls) in [(429, 2), (500, 2), (403, 1), (413, 1)] {
        let gateway = gateway().await;
        let id = connection_id("a");
        gateway.answer(&id, status);
        let pusher = testkit::contract::live::pusher::Sockets::pusher(&gateway);
        assert_eq!(pusher.push(&id, &message_rejected()).await, PushOutcome::Failed);
        assert_eq!(gateway.calls(&id), calls, "{status}");
    }
}

#[tokio::test]
async fn the_frames_of_one_event_arrive_in_order() {
    let gateway = gateway().await;
    let id = connection_id("a");
    gateway.answer(&id, 200);
    let text = "x".repeat(8_000);
    let event = messages_new((1..=12).map(|seq| message(seq, &text)).collect());
    let pusher = testkit::contract::live::pusher::Sockets::pusher(&gateway);
    assert_eq!(pusher.push(&id, &event).await, PushOutcome::Delivered);
    let frames = gateway.frames(&id);
    let starts: Vec<_> = frames
        .iter()
        .map(|frame| serde_json::from_str::<serde_json::Value>(frame).unwrap())
        .map(|frame| frame["data"]["after"].as_i64().unwrap())
        .collect();
    assert_eq!(starts, [0, 3, 6, 9]);
}

#[tokio::test]
async fn a_gateway_that_never_answers_does_not_hold_a_push() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/socket", listener.local_addr().unwrap());
    let client = clients_at(&url).await.management(&url);
    let pusher = ManagementPusher::new(client, SeededEntropy::new(1));
    let id = ConnectionId::parse("a").unwrap();
    assert_eq!(pusher.push(&id, &message_rejected()).await, PushOutcome::Failed);
    assert!(matches!(pusher.disconnect(&id).await, Err(Failure::Unavailable { .. })));
}

#[tokio::test]
async fn an_old_key_is_public_until_its_end_or_until_somebody_signs_with_it_again() {
    let tampered = Tampered::new().await;
    let table = &tampered.table;
    let key = |kid: &str| PublicKey { kid: kid.to_owned(), x: "x".to_owned() };
    let kids = async |seconds: i64| {
        let keys = table.keys(at_ms(seconds * 1_000)).await.unwrap().into_iter();
        let mut kids: Vec<_> = keys.map(|key| key.kid).collect();
        kids.sort_unstable();
        kids
    };
    table.publish(key("new")).await.unwrap();
    table.publish(key("old")).await.unwrap();
    let end = at_ms(100_000).unix_seconds();
    tampered.set("K#jwks", "K", "e#old", AttributeValue::N(end.to_string())).await;
    assert_eq!(kids(99).await, ["new", "old"]);
    assert_eq!(kids(100).await, ["new"]);
    table.publish(key("old")).await.unwrap();
    assert_eq!(kids(100).await, ["new", "old"]);
    tampered.set("K#jwks", "K", "e#old", AttributeValue::Bool(true)).await;
    is_bug_of("K#", table.keys(at_ms(0)).await);
}
