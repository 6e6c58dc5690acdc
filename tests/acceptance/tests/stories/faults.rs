//! What dies in the middle loses nothing and doubles nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::postgres::Cluster;
use harness::{Client, Device, Options, State, System, WAIT, eventually, kill_process};
use uuid::Uuid;

use crate::people::{assert_exactly_once, devices, people_on};

/// A killed worker's batch is visible again after 30 s, and may lie behind another such batch.
const HEALING: Duration = Duration::from_secs(180);

/// Four people, a group and two pairs, an app each.
struct Crowd {
    clients: [Client; 4],
    devices: Vec<Device>,
    /// The group first.
    conversations: [Uuid; 3],
    posted: BTreeMap<Uuid, Vec<(Uuid, Uuid)>>,
}

impl Crowd {
    async fn of(system: &System) -> Self {
        let clients = people_on(&system.api().unwrap(), ["ada", "bob", "cleo", "dan"]).await;
        let [ada, bob, cleo, dan] = &clients;
        let others = [bob.id(), cleo.id(), dan.id()];
        let group = ada.open_group("All", &others).await.unwrap().id;
        let conversations = [
            group,
            ada.open_direct(bob.id()).await.unwrap().id,
            cleo.open_direct(dan.id()).await.unwrap().id,
        ];
        let mut devices = devices([ada, bob], &conversations[..2]).await;
        devices.extend(
            crate::people::devices([cleo, dan], &[conversations[0], conversations[2]]).await,
        );
        Self { clients, devices, conversations, posted: BTreeMap::new() }
    }

    /// Everybody says so many things, in the group and to their one friend.
    fn post(&mut self, count: usize) {
        for (index, device) in self.devices.iter().enumerate() {
            let friends = self.conversations[1 + index / 2];
            for conversation in [self.conversations[0], friends] {
                for number in 0..count {
                    let id = device.post(conversation, &format!("number {number}"));
                    self.posted.entry(conversation).or_default().push((device.client().id(), id));
                }
            }
        }
    }

    /// Everything that was posted is in history once, in each device's order, and on every screen.
    async fn assert_nothing_lost_or_doubled(&self) {
        for device in &self.devices {
            let is_settled = |state: &State| state.unsettled() == 0;
            device.until("the end of every message", HEALING, is_settled).await.unwrap();
        }
        for (conversation, posted) in &self.posted {
            let member = usize::from(*conversation == self.conversations[2]) * 2;
            let history = self.clients[member].history(*conversation).await.unwrap();
            assert_exactly_once(&history);
            let from_clients: Vec<_> = history.iter().filter(|m| m.kind == "text").collect();
            assert_eq!(from_clients.len(), posted.len());
            for client in &self.clients {
                let of_one = posted.iter().filter(|(sender, _)| *sender == client.id());
                let stored = from_clients.iter().filter(|m| m.sender_id == client.id());
                let stored: Vec<_> = stored.map(|m| m.client_id).collect();
                assert_eq!(stored, of_one.map(|(_, id)| *id).collect::<Vec<_>>());
            }
            self.assert_on_every_screen(*conversation, &history).await;
        }
    }

    async fn assert_on_every_screen(
        &self,
        conversation: Uuid,
        history: &[protocol::value::Message],
    ) {
        let is_group = conversation == self.conversations[0];
        let pair = if conversation == self.conversations[1] { 0..2 } else { 2..4 };
        let members = if is_group { 0..4 } else { pair };
        for device in &self.devices[members] {
            assert!(device.look(|state| state.refusals(conversation).is_empty()));
            let has_all = |state: &State| state.transcript(conversation).len() == history.len();
            device.until("the whole history", HEALING, has_all).await.unwrap();
            assert_eq!(device.transcript(conversation), history);
        }
    }
}

/// Lets people post, and kills the workers while one of them waits, in its transaction, for this
/// conversation's lock. The lock is taken first: a quick worker would be through before it.
async fn kill_workers_in_a_transaction(system: &System, conversation: Uuid, post: impl FnOnce()) {
    let lock = system.database().connect().await.unwrap();
    let watch = system.database().connect().await.unwrap();
    let holder: i32 = lock.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    lock.batch_execute("BEGIN").await.unwrap();
    let taken = "SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE";
    lock.query_one(taken, &[&conversation]).await.unwrap();
    post();
    let waits = || async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
        watch.query_opt(waiting, &[&holder]).await.unwrap()
    };
    eventually("a worker waits for the lock", HEALING, waits).await.unwrap();
    let mut killed = 0;
    for process in &system.functions().await.unwrap()["persist-messages"].processes {
        killed += usize::from(kill_process(process.pid).is_ok());
    }
    assert!(killed > 0, "there was no worker to kill");
    lock.batch_execute("COMMIT").await.unwrap();
}

#[tokio::test]
async fn a_worker_killed_in_mid_load_loses_and_doubles_nothing() {
    let system = System::start(Options::without_rate_limit()).await.unwrap();
    let mut crowd = Crowd::of(&system).await;
    let [group, _, pair] = crowd.conversations;
    kill_workers_in_a_transaction(&system, group, || crowd.post(15)).await;
    kill_workers_in_a_transaction(&system, pair, || crowd.post(15)).await;
    crowd.post(5);
    crowd.assert_nothing_lost_or_doubled().await;
}

#[tokio::test]
async fn every_function_killed_in_mid_load_loses_and_doubles_nothing() {
    let system = System::start(Options::without_rate_limit()).await.unwrap();
    let mut crowd = Crowd::of(&system).await;
    let mut killed = 0;
    for _ in 0..3 {
        crowd.post(10);
        crowd.devices[0].cut_socket();
        for function in system.functions().await.unwrap().values() {
            for process in &function.processes {
                // It may have ended by itself meanwhile.
                killed += usize::from(kill_process(process.pid).is_ok());
            }
        }
    }
    assert!(killed > 10, "only {killed} processes were there to kill");
    crowd.assert_nothing_lost_or_doubled().await;
}

#[tokio::test]
async fn a_postgres_that_stops_in_mid_load_loses_and_doubles_nothing() {
    let cluster = Cluster::start().await.unwrap();
    let options = Options::without_rate_limit().on_postgres(cluster.url());
    let system = System::start(options).await.unwrap();
    let mut crowd = Crowd::of(&system).await;
    crowd.post(20);
    cluster.stop().await.unwrap();
    // Sending needs no database: all of this is accepted while it is away.
    crowd.post(10);
    let all_accepted = || async {
        let queue = crowd.devices.iter().all(|d| d.look(|state| state.unaccepted() == 0));
        queue.then_some(())
    };
    eventually("everything is accepted without a database", HEALING, all_accepted).await.unwrap();
    let ready = crowd.clients[0].get("/health/ready").await.unwrap();
    let report: protocol::body::HealthReport = ready.expect(503).unwrap();
    assert_eq!(report.down, ["postgres"]);
    cluster.start_again().await.unwrap();
    crowd.post(5);
    crowd.assert_nothing_lost_or_doubled().await;
    let is_well = || async {
        let ready = crowd.clients[0].get("/health/ready").await.unwrap();
        (ready.status == 200).then_some(())
    };
    eventually("the system is ready again", WAIT, is_well).await.unwrap();
}

#[tokio::test]
async fn a_postgres_that_restarts_again_and_again_loses_and_doubles_nothing() {
    let cluster = Cluster::start().await.unwrap();
    let options = Options::without_rate_limit().on_postgres(cluster.url());
    let system = System::start(options).await.unwrap();
    let mut crowd = Crowd::of(&system).await;
    for _ in 0..3 {
        crowd.post(15);
        cluster.restart().await.unwrap();
    }
    crowd.assert_nothing_lost_or_doubled().await;
}
