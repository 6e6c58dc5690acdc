//! Two people with three devices in a room, on a system that can be broken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::types::QueueAttributeName;
use client::core::Event;
use harness::faults::Faults;
use harness::{Client, Device, Options, Socket, State, System, eventually, kill_process};
use serde_json::Value;
use uuid::Uuid;

use crate::people::people_on;

/// For redeliveries and heartbeats, on a busy machine.
pub const HEALING: Duration = Duration::from_secs(180);
/// A lost push of a quiet conversation is found within one.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// How often and how long is looked at a rule before more is said.
const PATIENCE_LOOKS: usize = 20;
const PATIENCE_LOOK: Duration = Duration::from_millis(250);
/// In place of the template's 30 and 180 seconds, so that a crash is made good sooner. Above the
/// time limit of `persist-messages`.
const VISIBILITY: [(&str, u32); 2] = [("messages-to-persist.fifo", 6), ("events-to-fan-out", 3)];

pub struct Stage {
    pub system: System,
    pub faults: Faults,
    pub ada: Client,
    pub bob: Client,
    /// A member without a device.
    pub cleo: Client,
    /// A group of all three.
    pub room: Uuid,
    /// Ada's phone, Bob's phone, Bob's tablet.
    pub devices: Vec<Device>,
    database_url: String,
    /// In the order of posting: device, conversation, client id.
    posted: Mutex<Vec<(usize, Uuid, Uuid)>>,
}

/// A message as the database and the devices can be compared by.
type Row = (i64, Uuid, Uuid, Option<String>);

impl Stage {
    pub async fn set() -> Self {
        Self::on(Options::without_rate_limit(), HEARTBEAT).await
    }

    pub async fn on(options: Options, heartbeat: Duration) -> Self {
        let system = System::start(options.with_faults()).await.unwrap();
        for (queue, seconds) in VISIBILITY {
            set_visibility(&system, queue, seconds).await;
        }
        let names = ["ada", "bob", "cleo"];
        let [ada, bob, cleo] = people_on(&system.api().unwrap(), names).await;
        let room = ada.open_group("The room", &[bob.id(), cleo.id()]).await.unwrap().id;
        let tablet = bob.another_device().await.unwrap();
        let mut devices = Vec::new();
        for (seed, client) in (1..).zip([&ada, &bob, &tablet]) {
            devices.push(Device::start_with(client, &[room], seed, heartbeat).await.unwrap());
        }
        let faults = Faults::of(&system).unwrap();
        let (database_url, posted) = (system.database().url().to_owned(), Mutex::default());
        Self { system, faults, ada, bob, cleo, room, devices, database_url, posted }
    }

    pub fn post_in(&self, device: usize, conversation: Uuid, text: &str) -> Uuid {
        let client_id = self.devices[device].post(conversation, text);
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted.push((device, conversation, client_id));
        client_id
    }

    pub fn post(&self, device: usize, text: &str) -> Uuid {
        self.post_in(device, self.room, text)
    }

    /// Everybody says so many things in the room.
    pub fn talk(&self, count: usize) {
        for number in 0..count {
            for device in 0..self.devices.len() {
                self.post(device, &format!("number {number}"));
            }
        }
    }

    /// Looks at the database where this superuser's URL leads, past whatever stands before it.
    pub fn look_past(&mut self, superuser_url: &str) {
        let (_, name) = self.database_url.rsplit_once('/').unwrap();
        let (server, _) = superuser_url.rsplit_once('/').unwrap();
        self.database_url = format!("{server}/{name}");
    }

    /// A connection of the story's own, which may take its time.
    pub async fn database(&self) -> tokio_postgres::Client {
        let connected = tokio_postgres::connect(&self.database_url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        let patient = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
        client.batch_execute(patient).await.unwrap();
        client
    }

    /// Waits until this rule has done its work so often.
    pub async fn until_fired(&self, rule: u64, times: u64) {
        let has_fired = || async { (self.fired(rule).await >= times).then_some(()) };
        let what = format!("rule {rule} has fired {times} times");
        eventually(&what, HEALING, has_fired).await.unwrap();
    }

    /// As [`Self::until_fired`]. How many frames some messages become depends on how quick the
    /// machine is; where they were too few, everybody says more.
    pub async fn talk_until_fired(&self, rule: u64, times: u64) {
        let has_fired = || async {
            for _ in 0..PATIENCE_LOOKS {
                if self.fired(rule).await >= times {
                    return Some(());
                }
                tokio::time::sleep(PATIENCE_LOOK).await;
            }
            self.talk(1);
            None
        };
        let what = format!("rule {rule} has fired {times} times");
        eventually(&what, HEALING, has_fired).await.unwrap();
    }

    pub async fn fired(&self, rule: u64) -> u64 {
        let rules = self.faults.rules().await.unwrap();
        let all = rules["rules"].as_array().unwrap();
        let ours = all.iter().find(|found| found["id"] == rule).unwrap();
        ours["fired"].as_u64().unwrap()
    }

    pub async fn let_loose(&self, rule: Value) -> u64 {
        self.faults.add(&rule).await.unwrap()
    }

    /// `kill -9` to every process of this function; answers how many there were.
    pub async fn kill(&self, function: &str) -> usize {
        let functions = self.system.functions().await.unwrap();
        let processes = &functions[function].processes;
        processes.iter().filter(|process| kill_process(process.pid).is_ok()).count()
    }

    /// A socket beside the devices, and its connection's id.
    pub async fn socket_of(&self, client: &Client) -> (Socket, String) {
        let before = self.faults.connections().await.unwrap();
        let socket = client.socket().await.unwrap();
        let mut opened = self.faults.connections().await.unwrap();
        opened.retain(|id| !before.contains(id));
        let [id] = <[String; 1]>::try_from(opened).unwrap();
        (socket, id)
    }

    /// Waits until the message is in Postgres, whoever knows it yet.
    pub async fn until_stored(&self, client_id: Uuid) {
        let database = self.database().await;
        let stored = || async {
            let find = "SELECT 1 FROM messages WHERE client_id = $1";
            database.query_opt(find, &[&client_id]).await.unwrap()
        };
        eventually("the message is stored", HEALING, stored).await.unwrap();
    }

    /// The promise. Answers what was refused; most stories expect nothing.
    pub async fn refused_of_a_whole(&self) -> BTreeSet<Uuid> {
        for device in &self.devices {
            let is_settled = |state: &State| state.unsettled() == 0;
            device.until("the end of every message", HEALING, is_settled).await.unwrap();
        }
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut refused = BTreeSet::new();
        let mut rooms = BTreeMap::from([(self.room, Vec::new())]);
        for (device, room, client_id) in posted {
            let is_refused = |state: &State| state.refusals(room).contains_key(&client_id);
            if self.devices[device].look(is_refused) {
                refused.insert(client_id);
            }
            rooms.entry(room).or_default().push((device, client_id));
        }
        let mut shown = 0;
        for (room, posted) in rooms {
            shown += self.assert_room(room, &posted, &refused).await;
        }
        for device in &self.devices {
            let events = device.app().tell(|state, _| state.take_events());
            let rendered = events.iter().filter(|event| matches!(event, Event::Shown { .. }));
            assert_eq!(rendered.count(), shown, "a message was rendered twice, or not");
        }
        refused
    }

    pub async fn assert_whole(&self) {
        assert_eq!(self.refused_of_a_whole().await, BTreeSet::new());
    }

    /// Answers how many messages there are.
    async fn assert_room(
        &self,
        room: Uuid,
        posted: &[(usize, Uuid)],
        refused: &BTreeSet<Uuid>,
    ) -> usize {
        let rows = self.rows(room).await;
        let numbers: Vec<i64> = rows.iter().map(|row| row.0).collect();
        assert_eq!(numbers, (1..).take(rows.len()).collect::<Vec<i64>>(), "numbers have gaps");
        for index in 0..self.devices.len() {
            let of_device = posted.iter().filter(|(device, _)| *device == index);
            let posted: Vec<Uuid> = of_device.map(|(_, client_id)| *client_id).collect();
            let stored = rows.iter().map(|row| row.2).filter(|id| posted.contains(id));
            let expected = posted.iter().copied().filter(|id| !refused.contains(id));
            assert_eq!(
                stored.collect::<Vec<_>>(),
                expected.collect::<Vec<_>>(),
                "lost, doubled or out of order, or stored though refused"
            );
        }
        let last = numbers.last().copied().unwrap_or(0);
        for device in &self.devices {
            let has_all = |state: &State| state.cursor(room) >= last;
            device.until("the whole history", HEALING, has_all).await.unwrap();
            let shown = device.transcript(room).into_iter();
            let shown: Vec<Row> =
                shown.map(|m| (m.seq, m.sender_id, m.client_id, m.text)).collect();
            assert_eq!(shown, rows, "a device shows something else than Postgres holds");
        }
        rows.len()
    }

    async fn rows(&self, room: Uuid) -> Vec<Row> {
        let database = self.database().await;
        let all = "SELECT seq, sender_id, client_id, text FROM messages
            WHERE conversation_id = $1 ORDER BY seq";
        let rows = database.query(all, &[&room]).await.unwrap();
        let rows = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)));
        rows.collect()
    }
}

/// The URL of one of a stack's queues, and a client of its own to ask there.
async fn queue(system: &System, name: &str) -> (aws_sdk_sqs::Client, String) {
    let credentials = Credentials::new("test", "test", None, None, "acceptance");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(system.aws_endpoint_url())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let client = aws_sdk_sqs::Client::new(&config);
    let name = format!("{}-{name}", system.stack());
    let url = client.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap();
    (client, url)
}

/// What is received from now on comes again after so many seconds.
pub async fn set_visibility(system: &System, name: &str, seconds: u32) {
    let (client, url) = queue(system, name).await;
    let set = client.set_queue_attributes().queue_url(url);
    let set = set.attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string());
    set.send().await.unwrap();
}

/// However often it fails, a message stays in this queue: as often as SQS allows.
pub async fn never_give_up(system: &System, name: &str) {
    let (client, url) = queue(system, name).await;
    let redrive = QueueAttributeName::RedrivePolicy;
    let asked = client.get_queue_attributes().queue_url(&url).attribute_names(redrive.clone());
    let attributes = asked.send().await.unwrap().attributes.unwrap_or_default();
    let mut policy: Value = serde_json::from_str(&attributes[&redrive]).unwrap();
    policy["maxReceiveCount"] = Value::from(1_000);
    let set = client.set_queue_attributes().queue_url(url);
    set.attributes(redrive, policy.to_string()).send().await.unwrap();
}

/// How many messages of a queue somebody has received and not deleted.
pub async fn in_flight(system: &System, name: &str) -> u32 {
    let (client, url) = queue(system, name).await;
    let count = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    let asked = client.get_queue_attributes().queue_url(url).attribute_names(count.clone());
    let attributes = asked.send().await.unwrap().attributes.unwrap_or_default();
    attributes[&count].parse().unwrap()
}
