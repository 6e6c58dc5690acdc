//! Everything that one run shares: the fakes, the faults, the book of what really happened.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use domain::{ClientId, ConversationId, Timestamp, UserId};
use service::Caller;
use service::port::{Clock, FanOutJob, ReceiptClaim};
use testkit::ambient::{SeededEntropy, at_ms};
use testkit::history::FakeHistory;
use testkit::live::{FakeLive, FakeQueues};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::book::Book;
use crate::chance::Chance;
use crate::device::Device;
use crate::gateway::Gateway;
use crate::plan::{Mutation, Plan, Rates};
use crate::queue::StandardQueue;

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub async fn sleep_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// The virtual time of the run.
pub struct SimClock(Instant);

impl SimClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }

    pub fn ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        at_ms(i64::try_from(self.ms()).unwrap_or(i64::MAX))
    }
}

/// A group, its owner, who stays, and the token of an invite into it.
#[derive(Clone)]
pub struct Group {
    pub id: ConversationId,
    pub owner: Caller,
    pub invite: String,
}

pub struct World {
    pub plan: Plan,
    pub chance: Chance,
    pub clock: Arc<SimClock>,
    pub entropy: Arc<SeededEntropy>,
    pub history: Arc<FakeHistory>,
    pub live: Arc<FakeLive>,
    pub lane: Arc<FakeQueues>,
    /// Somebody has put something into the lane.
    pub lane_filled: Notify,
    pub fan_out: StandardQueue<FanOutJob>,
    pub receipts: StandardQueue<ReceiptClaim>,
    pub presence: StandardQueue<UserId>,
    pub gateway: Gateway,
    pub devices: OnceLock<Vec<Arc<Device>>>,
    pub book: Book,
    /// Messages that kill the process which stores them.
    pub deadly: Mutex<Vec<ClientId>>,
    pub poisoned: Mutex<Vec<ClientId>>,
    pub groups: Mutex<Vec<Group>>,
    /// The first of the two is who may block the other.
    pub directs: Mutex<Vec<(ConversationId, Caller, UserId)>>,
    /// Rows that a mutant has counted and not written yet.
    pub unwritten: Mutex<Vec<(ConversationId, i64)>>,
    is_calm: AtomicBool,
    faults: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    log: Mutex<Vec<String>>,
    invocations: AtomicU64,
}

impl World {
    pub fn new(plan: Plan) -> Arc<Self> {
        let clock = SimClock::new();
        Arc::new(Self {
            chance: Chance::new(plan.seed ^ 0x5EED),
            entropy: SeededEntropy::new(plan.seed),
            history: Arc::new(FakeHistory::with_clock(clock.clone())),
            live: FakeLive::new(),
            lane: FakeQueues::new(clock.clone()),
            lane_filled: Notify::new(),
            fan_out: StandardQueue::new("fan-out", 180_000, 5),
            receipts: StandardQueue::new("receipts", 30_000, 5),
            presence: StandardQueue::new("presence", 30_000, 5),
            gateway: Gateway::default(),
            devices: OnceLock::new(),
            book: Book::default(),
            deadly: Mutex::default(),
            poisoned: Mutex::default(),
            groups: Mutex::default(),
            directs: Mutex::default(),
            unwritten: Mutex::default(),
            is_calm: AtomicBool::new(true),
            faults: Mutex::default(),
            log: Mutex::default(),
            invocations: AtomicU64::new(0),
            clock,
            plan,
        })
    }

    pub fn now_ms(&self) -> u64 {
        self.clock.ms()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn devices(&self) -> &[Arc<Device>] {
        self.devices.get().map_or(&[], Vec::as_slice)
    }

    /// From now on nothing goes wrong by chance, or everything does again.
    pub fn set_calm(&self, is_calm: bool) {
        self.is_calm.store(is_calm, Ordering::Relaxed);
    }

    pub fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    pub fn rates(&self) -> Rates {
        if self.is_calm() { Rates::default() } else { self.plan.rates }
    }

    pub fn is_mutated(&self, mutation: Mutation) -> bool {
        self.plan.mutation == Some(mutation)
    }

    /// Counts that this kind of fault has happened at this point.
    pub fn count(&self, kind: &'static str, point: &'static str) {
        *lock(&self.faults).entry((kind, point)).or_default() += 1;
        self.say(|| format!("! {kind} at {point}"));
    }

    pub fn faults(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        lock(&self.faults).clone()
    }

    pub fn next_invocation(&self) -> u64 {
        self.invocations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Costs nothing in a run whose log nobody wants: the same seed can be run again.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if self.plan.keep_log {
            let at = self.now_ms() as f64 / 1_000.0;
            lock(&self.log).push(format!("{at:>9.3} {}", line()));
        }
    }

    pub fn log(&self) -> Vec<String> {
        lock(&self.log).clone()
    }

    pub fn violate(&self, invariant: u8, what: impl Into<String>) {
        let what = what.into();
        self.say(|| format!("VIOLATION of invariant {invariant}: {what}"));
        self.book.violate(invariant, what, self.now_ms());
    }
}
