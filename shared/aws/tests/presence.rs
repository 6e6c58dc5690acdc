//! Who is there, on a real table and on one that says what it is told to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod emulator;

use std::collections::HashMap;

use aws::LiveTable;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Presence, Status, Timestamp, UserId, limits};
use emulator::scripted::scripted;
use emulator::{clients, table_name};
use serde_json::json;
use service::port::{Acquaintance, ConnectionStore, Failure, PresenceStore, Sighting};
use testkit::ambient::at_ms;
use testkit::contract::live::sample::{connection, connection_id, session, user};

/// A table whose items a test may look at and tamper with.
struct Scene {
    table: LiveTable,
    client: aws_sdk_dynamodb::Client,
    name: String,
}

impl Scene {
    async fn new() -> Self {
        let clients = clients().await;
        let name = table_name(&clients).await;
        let table = LiveTable::new(clients.dynamodb(), &name);
        Self { table, client: clients.dynamodb(), name }
    }

    async fn person(&self) -> HashMap<String, AttributeValue> {
        let get = self.client.get_item().table_name(&self.name);
        let get = get.key("pk", AttributeValue::S(format!("U#{}", user(1))));
        let get = get.key("sk", AttributeValue::S("LIVE".to_owned()));
        get.send().await.unwrap().item.unwrap_or_default()
    }

    async fn seen(&self, now: Timestamp) -> Sighting {
        self.table_of_presence().of_users(&[user(1)], now).await.unwrap().swap_remove(0)
    }

    fn table_of_presence(&self) -> &dyn PresenceStore {
        &self.table
    }
}

fn acquaintance(of: UserId) -> Acquaintance {
    Acquaintance { user_id: of, shares_last_seen: true }
}

#[tokio::test]
async fn one_socket_per_user_second_device_overwrites_the_first_and_closing_either_says_offline() {
    for (closed, left) in [("a", "b"), ("b", "a")] {
        let scene = Scene::new().await;
        for name in ["a", "b"] {
            assert!(scene.table.open(&connection(name, 1, at_ms(0))).await.unwrap());
        }
        assert_eq!(scene.seen(at_ms(1)).await.statuses, [Status::Online; 2]);
        scene.table.close(&connection_id(closed), at_ms(2)).await.unwrap();
        assert_eq!(scene.seen(at_ms(3)).await.presence(), Presence::Online);
        scene.table.close(&connection_id(left), at_ms(4)).await.unwrap();
        let gone = scene.seen(at_ms(5)).await;
        assert_eq!((gone.presence(), gone.last_seen_at), (Presence::Offline, Some(at_ms(4))));
    }
}

#[tokio::test]
async fn on_410_deleting_the_senders_row() {
    let scene = Scene::new().await;
    let (stale, live) = (connection("a", 1, at_ms(0)), connection("b", 1, at_ms(0)));
    scene.table.open(&stale).await.unwrap();
    scene.table.open(&live).await.unwrap();
    scene.table.set(&live.id, Status::Dnd, at_ms(1)).await.unwrap();
    scene.table.announce(user(1), Presence::Dnd).await.unwrap();
    scene.table.prune(&stale).await.unwrap();
    let sighting = scene.seen(at_ms(2)).await;
    assert_eq!(sighting.statuses, [Status::Dnd]);
    assert_eq!(sighting.announced, Presence::Dnd);
    assert_eq!(sighting.last_seen_at, Some(at_ms(0)));
    assert!(scene.table.get(&stale.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_person_is_remembered_for_ninety_days_and_dead_sockets_are_swept() {
    let scene = Scene::new().await;
    let dead = connection("dead", 1, at_ms(0));
    scene.table.open(&dead).await.unwrap();
    // No $disconnect ever came. After its lease it may still be open; after its record it is not.
    let later = at_ms(0).plus(limits::CONNECTION_LEASE);
    scene.table.open(&connection("next", 1, later)).await.unwrap();
    let name = format!("c#{}", dead.id);
    assert!(scene.person().await.contains_key(&name));
    let much_later = at_ms(0).plus(limits::CONNECTION_RECORD_LIFETIME);
    scene.table.open(&connection("last", 1, much_later)).await.unwrap();
    let person = scene.person().await;
    assert!(!person.contains_key(&name));
    assert!(person.contains_key(&format!("c#{}", connection_id("next"))));
    let AttributeValue::N(expires_at) = &person["expires_at"] else { panic!("no number") };
    let days = (expires_at.parse::<i64>().unwrap() - much_later.unix_seconds()) / (24 * 3600);
    assert_eq!(days, 90);
    scene.table.close(&connection_id("last"), much_later).await.unwrap();
    scene.table.close(&connection_id("next"), much_later).await.unwrap();
    assert_eq!(scene.seen(much_later).await.last_seen_at, Some(much_later));
}

#[tokio::test]
async fn the_status_of_a_session_stays_while_it_has_a_socket_and_goes_with_the_session() {
    let scene = Scene::new().await;
    let device = connection("a", 1, at_ms(0));
    scene.table.open(&device).await.unwrap();
    scene.table.set(&device.id, Status::Dnd, at_ms(0)).await.unwrap();
    let mark = format!("p#{}", session(1));
    let mut other = connection("b", 1, at_ms(1));
    other.identity.session_id = session(9);
    scene.table.open(&other).await.unwrap();
    scene.table.set(&other.id, Status::Away, at_ms(1)).await.unwrap();
    scene.table.close(&other.id, at_ms(2)).await.unwrap();
    let later = at_ms(2).plus(limits::CONNECTION_RECORD_LIFETIME);
    scene.table.open(&connection("c", 1, later)).await.unwrap();
    let person = scene.person().await;
    assert!(person.contains_key(&mark), "its session has a socket");
    assert!(!person.contains_key(&format!("p#{}", session(9))), "that one has had none for long");
    scene.table.end_session(device.identity, later).await.unwrap();
    assert!(!scene.person().await.contains_key(&mark));
}

/// `$disconnect` was handled after the heartbeat had read who it is.
#[tokio::test]
async fn a_heartbeat_that_meets_the_end_of_its_socket_leaves_no_ghost_behind() {
    let record = json!({"Item": {
        "pk": {"S": format!("C#{}", connection_id("a"))}, "sk": {"S": "C"},
        "user": {"S": user(1).to_string()}, "session": {"S": session(1).to_string()},
        "since": {"N": at_ms(0).unix_ms().to_string()},
    }});
    let failed = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    });
    let answers = [(200, record), (400, failed), (200, json!({})), (200, json!({}))];
    let service = scripted([answers.to_vec(), vec![(200, json!({}))]].concat()).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    assert_eq!(table.touch(&connection_id("a"), at_ms(5)).await.unwrap(), None);
    let calls = ["GetItem", "UpdateItem", "UpdateItem", "GetItem", "UpdateItem"];
    assert_eq!(service.operations(), calls);
    let pruned = service.calls()[4].1["UpdateExpression"].clone();
    assert_eq!(pruned, "REMOVE #connection");
}

#[tokio::test]
async fn a_closing_that_comes_late_does_not_turn_time_back() {
    let scene = Scene::new().await;
    for name in ["a", "b"] {
        scene.table.open(&connection(name, 1, at_ms(0))).await.unwrap();
    }
    scene.table.close(&connection_id("a"), at_ms(9)).await.unwrap();
    scene.table.close(&connection_id("b"), at_ms(5)).await.unwrap();
    let sighting = scene.seen(at_ms(10)).await;
    assert_eq!(sighting.last_seen_at, Some(at_ms(9)));
    assert!(sighting.statuses.is_empty());
}

#[tokio::test]
async fn a_socket_of_a_release_without_presence_counts_as_online() {
    let scene = Scene::new().await;
    let opened = connection("a", 1, at_ms(0));
    scene.table.open(&opened).await.unwrap();
    let update = scene.client.update_item().table_name(&scene.name);
    let update = update.key("pk", AttributeValue::S(format!("U#{}", user(1))));
    let update = update.key("sk", AttributeValue::S("LIVE".to_owned()));
    let update = update.update_expression("REMOVE #c.#s, last_seen");
    let update = update.expression_attribute_names("#c", format!("c#{}", opened.id));
    update.expression_attribute_names("#s", "status").send().await.unwrap();
    let sighting = scene.seen(at_ms(1)).await;
    assert_eq!((sighting.presence(), sighting.last_seen_at), (Presence::Online, None));
    let beat = scene.table.touch(&opened.id, at_ms(2)).await.unwrap();
    assert_eq!(beat.unwrap().seen_at, at_ms(2));
    assert_eq!(scene.seen(at_ms(3)).await.last_seen_at, Some(at_ms(2)));
}

#[tokio::test]
async fn telling_of_nobody_leaves_no_item_behind() {
    let scene = Scene::new().await;
    assert!(!scene.table.announce(user(1), Presence::Offline).await.unwrap());
    assert!(scene.person().await.is_empty());
    let never = scene.table.set(&connection_id("never"), Status::Away, at_ms(0)).await.unwrap();
    assert_eq!(never, None);
    let count = scene.client.scan().table_name(&scene.name).send().await.unwrap().count;
    assert_eq!(count, 0);
}

#[tokio::test]
async fn malformed_presence_is_a_bug_that_names_its_kind_and_not_its_content() {
    let scene = Scene::new().await;
    let key = [("U#", "LIVE", "announced"), ("U#", "LIVE", "last_seen"), ("W#", "x", "until_ms")];
    for (kind, sk, attribute) in key {
        let value = match attribute {
            "until_ms" => AttributeValue::N(at_ms(99).unix_ms().to_string()),
            _ => AttributeValue::S("secret".to_owned()),
        };
        let put = scene.client.put_item().table_name(&scene.name);
        let put = put.item("pk", AttributeValue::S(format!("{kind}{}", user(1))));
        let put = put.item("sk", AttributeValue::S(sk.to_owned())).item(attribute, value);
        put.send().await.unwrap();
        let failure = match kind {
            "W#" => scene.table.watchers(user(1), at_ms(0)).await.unwrap_err(),
            _ => scene.table_of_presence().of_users(&[user(1)], at_ms(0)).await.unwrap_err(),
        };
        assert!(matches!(failure, Failure::Bug { .. }), "{failure:?}");
        let why = std::error::Error::source(&failure).unwrap().to_string();
        assert!(why.contains(kind) && !why.contains("secret"), "{why}");
    }
}

#[tokio::test]
async fn a_heartbeat_takes_a_read_and_a_write_and_names_no_status() {
    let record = json!({"Item": {
        "pk": {"S": format!("C#{}", connection_id("a"))}, "sk": {"S": "C"},
        "user": {"S": user(1).to_string()}, "session": {"S": session(1).to_string()},
        "since": {"N": at_ms(0).unix_ms().to_string()}, "status": {"S": "away"},
    }});
    let service = scripted(vec![(200, record), (200, json!({}))]).await;
    let table = LiveTable::new(service.clients.dynamodb(), "live");
    assert!(table.touch(&connection_id("a"), at_ms(5)).await.unwrap().is_some());
    assert_eq!(service.operations(), ["GetItem", "UpdateItem"]);
    assert!(!service.calls()[1].1.to_string().contains("away"));
}

#[tokio::test]
async fn a_throttled_table_makes_presence_unavailable() {
    let code = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
    let throttled = || scripted(vec![(400, json!({"__type": code})); 10]);
    let (id, people) = (connection_id("a"), [acquaintance(user(1))]);
    let (watcher, until) = (connection("a", 1, at_ms(0)), at_ms(90_000));
    for step in 0..7 {
        let service = throttled().await;
        let table = LiveTable::new(service.clients.dynamodb(), "live");
        let presence: &dyn PresenceStore = &table;
        let failed = match step {
            0 => presence.set(&id, Status::Away, at_ms(0)).await.map(drop),
            1 => presence.of_users(&[user(1)], at_ms(0)).await.map(drop),
            2 => presence.announce(user(1), Presence::Online).await.map(drop),
            3 => presence.watch(&watcher, &people, until).await,
            4 => presence.watchers(user(1), at_ms(0)).await.map(drop),
            5 => presence.end_watches(user(1), user(2), at_ms(0)).await.map(drop),
            _ => table.close(&id, at_ms(0)).await.map(drop),
        };
        assert!(matches!(failed, Err(Failure::Unavailable { .. })), "step {step}");
        assert_eq!(service.calls().len(), 3, "step {step}");
    }
}
