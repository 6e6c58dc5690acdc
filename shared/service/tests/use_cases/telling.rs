//! What telling many at once may cost, and what nobody waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConnectionId, ConversationId, Message, Seq, Timestamp, UserId, limits};
use service::port::{
    Clock, ConnectionStore, Failure, FanOutJob, PushLog, PushOutcome, PushRecord, Pusher, RecordJob,
};
use service::{Announcement, Connection, Delivery, Event, FanOut, Identity, Recipient};
use testkit::world::World;
use uuid::Uuid;

pub fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn room(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(number))
}

/// Of Ada, in room 7, at the beginning of time.
pub fn message(seq: i64) -> Message {
    Message {
        conversation_id: room(7),
        seq: Seq(seq),
        rev: Seq(seq),
        client_id: testkit::world::client_id(seq.unsigned_abs().into()),
        sender_id: user(1),
        kind: domain::MessageKind::Text,
        text: None,
        reply_to: None,
        mentions: vec![],
        reactions: vec![],
        event: None,
        pinned: false,
        sent_at: None,
        created_at: testkit::ambient::at_ms(0),
        edited_at: None,
        deleted_at: None,
    }
}

fn to(event: Event, joined: impl Iterator<Item = (u128, i64)>) -> Announcement {
    let recipient = |(number, seq)| Recipient { user_id: user(number), joined_seq: Seq(seq) };
    Announcement::new(event, joined.map(recipient).collect())
}

fn news(number: u128) -> Event {
    Event::of_new(room(number), vec![message(2)]).unwrap()
}

/// The live table, asked for the connections of so many lists of users.
struct Counted {
    world: Arc<World>,
    asked: AtomicUsize,
    hangs_on_prune: bool,
}

impl Counted {
    fn new(world: &Arc<World>, hangs_on_prune: bool) -> Arc<Self> {
        Arc::new(Self { world: world.clone(), asked: AtomicUsize::new(0), hangs_on_prune })
    }
}

#[async_trait]
impl ConnectionStore for Counted {
    async fn open(&self, connection: &Connection) -> Result<bool, Failure> {
        self.world.live.open(connection).await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        self.world.live.get(id).await
    }

    async fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        self.world.live.touch(id, now).await
    }

    async fn close(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        self.world.live.close(id, now).await
    }

    async fn prune(&self, connection: &Connection) -> Result<(), Failure> {
        if self.hangs_on_prune {
            std::future::pending::<()>().await;
        }
        self.world.live.prune(connection).await
    }

    async fn end_session(
        &self,
        identity: Identity,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        self.world.live.end_session(identity, now).await
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Connection>, Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(users.len() <= limits::USERS_PER_JOB, "one call of the table");
        ConnectionStore::of_users(&*self.world.live, users, now).await
    }
}

/// Notes that are never taken, and how many calls tried.
#[derive(Default)]
struct Log {
    calls: AtomicUsize,
    notes: AtomicUsize,
    hangs: bool,
    /// How long it takes.
    delay: Duration,
}

#[async_trait]
impl PushLog for Log {
    async fn record(&self, pushes: &[PushRecord]) -> Result<(), Failure> {
        tokio::time::sleep(self.delay).await;
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.notes.fetch_add(pushes.len(), Ordering::SeqCst);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_edit_of_what_many_cannot_see_is_one_view_for_all_of_them() {
    let world = World::new();
    let event = Event::of_change(message(5));
    let grown = to(event, (1..=1_000_u128).zip(4..));
    world.delivery().announce(vec![grown]).await.unwrap();
    let jobs = world.queues.drain_fan_out();
    // Only the first joined before it: the others share the empty frame.
    let sizes: Vec<_> = jobs
        .iter()
        .map(|job| match job {
            FanOutJob::ToMembers { recipients, .. } => recipients.len(),
            FanOutJob::ToConnections { .. } => panic!("nobody is online"),
        })
        .collect();
    assert_eq!(sizes.len(), 10, "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 999);
    for job in jobs {
        let FanOutJob::ToMembers { event: Event::MessagesChanged { messages, .. }, .. } = job
        else {
            panic!("{job:?}")
        };
        assert!(messages.is_empty());
    }
}

#[tokio::test]
async fn whoever_is_in_many_announcements_is_looked_up_once() {
    let world = Arc::new(World::new());
    let table = Counted::new(&world, false);
    for number in 1..=4 {
        world.connected(user(number), &format!("c{number}")).await;
    }
    let delivery = Delivery { connections: table.clone(), ..world.delivery() };
    let ten = (1..=10).map(|number| to(news(number), (1..=4).map(|user| (user, 0)))).collect();
    delivery.announce(ten).await.unwrap();
    assert_eq!(table.asked.load(Ordering::SeqCst), 1);
    assert_eq!(world.pusher.said().len(), 40);
}

#[tokio::test]
async fn a_thousand_announcements_are_a_few_lookups() {
    let world = Arc::new(World::new());
    let table = Counted::new(&world, false);
    let delivery = Delivery { connections: table.clone(), ..world.delivery() };
    let many = (1..=1_000).map(|number| to(news(number), std::iter::once((number, 0)))).collect();
    delivery.announce(many).await.unwrap();
    assert_eq!(table.asked.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn all_pushes_of_a_batch_are_noted_in_one_call() {
    let world = World::new();
    world.connected(user(1), "c1").await;
    let log = Arc::new(Log::default());
    let delivery = Delivery { push_log: log.clone(), ..world.delivery() };
    let ten = (1..=10).map(|number| to(news(number), std::iter::once((1, 0)))).collect();
    delivery.announce(ten).await.unwrap();
    let calls = (log.calls.load(Ordering::SeqCst), log.notes.load(Ordering::SeqCst));
    assert_eq!(calls, (1, 10));
}

#[tokio::test]
async fn nobody_waits_for_a_note_or_for_the_removal_of_a_socket_that_is_gone() {
    let world = Arc::new(World::new());
    let gone = world.connected(user(1), "gone").await;
    let failing = world.connected(user(2), "failing").await;
    world.connected(user(3), "open").await;
    world.clock.advance(limits::PRUNE_MIN_AGE);
    world.pusher.answer(&gone.id, PushOutcome::Gone);
    world.pusher.answer(&failing.id, PushOutcome::Failed);
    let delivery = Delivery {
        connections: Counted::new(&world, true),
        push_log: Arc::new(Log { hangs: true, ..Log::default() }),
        ..world.delivery()
    };
    let told = delivery.announce(vec![to(news(1), (1..=3).map(|user| (user, 0)))]);
    tokio::time::timeout(Duration::from_secs(60), told).await.expect("it ends").unwrap();
    assert_eq!(world.queues.drain_fan_out().len(), 1, "what failed is in the queue");
}

fn job(number: u128, users: std::ops::RangeInclusive<u128>) -> FanOutJob {
    let recipient = |number| Recipient { user_id: user(number), joined_seq: Seq::ZERO };
    let recipients = users.map(recipient).collect();
    FanOutJob::ToMembers { event: news(number), trace_ids: vec![], recipients }
}

#[tokio::test]
async fn the_fan_out_takes_the_time_that_a_note_needs_but_not_for_ever() {
    let world = World::new();
    world.connected(user(1), "c1").await;
    // Longer than the lane would wait.
    let slow = Arc::new(Log { delay: Duration::from_millis(500), ..Log::default() });
    let fan_out = FanOut { delivery: Delivery { push_log: slow.clone(), ..world.delivery() } };
    fan_out.run(job(1, 1..=1)).await.unwrap();
    assert_eq!(slow.notes.load(Ordering::SeqCst), 1);
    let hanging = Arc::new(Log { hangs: true, ..Log::default() });
    let fan_out = FanOut { delivery: Delivery { push_log: hanging, ..world.delivery() } };
    let told = fan_out.run(job(2, 1..=1));
    tokio::time::timeout(Duration::from_secs(60), told).await.expect("it ends").unwrap();
}

/// A way to the sockets that takes five seconds of the world's clock.
struct Slow(Arc<World>);

#[async_trait]
impl Pusher for Slow {
    async fn push(&self, id: &ConnectionId, event: &Event) -> PushOutcome {
        self.0.clock.advance(Duration::from_secs(5));
        self.0.pusher.push(id, event).await
    }

    async fn disconnect(&self, id: &ConnectionId) -> Result<(), Failure> {
        self.0.pusher.disconnect(id).await
    }
}

#[tokio::test]
async fn a_push_is_noted_with_the_time_before_it() {
    let world = Arc::new(World::new());
    world.connected(user(1), "c1").await;
    let way = Arc::new(Slow(world.clone()));
    let noting = || Delivery { push_log: world.queues.clone(), ..world.delivery_over(way.clone()) };
    let begun_at = world.clock.now();
    noting().announce(vec![to(news(1), std::iter::once((1, 0)))]).await.unwrap();
    let later_at = world.clock.now();
    FanOut { delivery: noting() }.run(job(1, 1..=1)).await.unwrap();
    let at = |job: &RecordJob| match job {
        RecordJob::Push(push) => push.at,
        RecordJob::Receipt(claim) => panic!("{claim:?}"),
    };
    let noted: Vec<_> = world.queues.drain_records().iter().map(at).collect();
    assert_eq!(noted, [Some(begun_at), Some(later_at)]);
    assert!(begun_at < later_at);
}
