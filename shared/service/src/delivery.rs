//! Telling the members: a few at once, many through the fan-out queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{Seq, Timestamp, TraceId, UserId, limits};
use futures::StreamExt;
use futures::future::{join, join_all};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::port::{
    Clock, ConnectionStore, Failure, FanOutJob, FanOutQueue, PushLog, PushOutcome, PushRecord,
    Pusher,
};
use crate::{Connection, Event, Recipient};

/// Users whose connections one lookup finds without missing one that was opened a moment ago.
const USERS_READ_CONSISTENTLY: usize = 10;
/// Lookups under way at once from one process.
const CONCURRENT_LOOKUPS: usize = 8;
/// What notes for traces and the removal of sockets that are gone may take, when everybody has
/// been told: nobody waits for them, and the lane waits for this.
const SETTLING_BUDGET: Duration = Duration::from_millis(200);
/// The same after a job of the fan-out, whose end nobody waits for: its queue has other workers.
const SETTLING_BUDGET_OF_FAN_OUT: Duration = Duration::from_secs(2);

/// One event and everybody who is to be told, as the transaction that caused it saw them.
#[derive(Debug, Clone, PartialEq)]
pub struct Announcement {
    pub event: Event,
    pub recipients: Vec<Recipient>,
    /// Of the messages in it, for the log.
    pub trace_ids: Vec<TraceId>,
}

impl Announcement {
    pub fn new(event: Event, recipients: Vec<Recipient>) -> Self {
        Self { event, recipients, trace_ids: vec![] }
    }

    pub fn traced(self, trace_ids: Vec<TraceId>) -> Self {
        Self { trace_ids, ..self }
    }

    /// Not to these.
    pub(crate) fn without(mut self, users: &BTreeSet<UserId>) -> Self {
        self.recipients.retain(|recipient| !users.contains(&recipient.user_id));
        self
    }

    /// One announcement for all who see the same of it. Whoever joined later sees fewer of its
    /// messages, so how many are hidden from somebody tells which.
    fn by_view(self) -> Vec<Self> {
        let mut views: BTreeMap<usize, (Seq, Vec<Recipient>)> = BTreeMap::new();
        for recipient in self.recipients {
            let joined_seq = recipient.joined_seq;
            let view = views.entry(self.event.hidden_from(joined_seq));
            view.or_insert((joined_seq, vec![])).1.push(recipient);
        }
        let seen = |(from, recipients)| {
            Self::new(self.event.seen_from(from), recipients).traced(self.trace_ids.clone())
        };
        views.into_values().map(seen).collect()
    }
}

/// What became of some pushes.
#[derive(Default)]
struct Pushed {
    devices: u32,
    failed: Vec<Connection>,
    /// Those without a socket, and old enough to have had one.
    gone: Vec<Connection>,
}

/// What telling left to do.
#[derive(Default)]
struct Rest {
    jobs: Vec<FanOutJob>,
    note: Option<PushRecord>,
    gone: Vec<Connection>,
}

/// Tells the members after a commit.
#[derive(Clone)]
pub struct Delivery {
    pub connections: Arc<dyn ConnectionStore>,
    pub pusher: Arc<dyn Pusher>,
    pub fan_out: Arc<dyn FanOutQueue>,
    pub push_log: Arc<dyn PushLog>,
    pub clock: Arc<dyn Clock>,
}

impl Delivery {
    /// Pushes what is small at once, within one time budget for all of it; the rest, and what
    /// failed, becomes fan-out jobs. An error means that somebody may not have been told.
    pub async fn announce(&self, announcements: Vec<Announcement>) -> Result<(), Failure> {
        let until = Instant::now() + limits::INLINE_PUSH_BUDGET;
        // A batch of repeats is many announcements; the process has one set of slots for all.
        let slots = Semaphore::new(limits::CONCURRENT_PUSHES);
        let views = announcements.into_iter().flat_map(Announcement::by_view);
        let (large, small): (Vec<_>, Vec<_>) =
            views.partition(|view| view.recipients.len() > limits::USERS_PER_JOB);
        let known = self.look_up(&small, until).await;
        let told = small.into_iter().map(|view| self.announce_one(view, &known, &slots, until));
        let (mut jobs, mut notes, mut gone) = (vec![], vec![], vec![]);
        for rest in join_all(told).await {
            jobs.extend(rest.jobs);
            notes.extend(rest.note);
            gone.extend(rest.gone);
        }
        jobs.extend(large.into_iter().flat_map(to_members));
        let handed_over = self.hand_over(jobs).await;
        self.settle(&notes, gone, SETTLING_BUDGET).await;
        handed_over
    }

    /// Says it to these sockets, at once or through the fan-out queue.
    pub(crate) async fn tell(
        &self,
        event: Event,
        connections: Vec<Connection>,
    ) -> Result<(), Failure> {
        if connections.len() > limits::INLINE_PUSH_CONNECTIONS {
            return self.hand_over(to_connections(&event, &[], connections)).await;
        }
        let until = Instant::now() + limits::INLINE_PUSH_BUDGET;
        let slots = Semaphore::new(limits::CONCURRENT_PUSHES);
        let Pushed { failed, gone, .. } =
            self.push_all(&event, connections, &slots, Some(until)).await;
        let handed_over = self.hand_over(to_connections(&event, &[], failed)).await;
        self.settle(&[], gone, SETTLING_BUDGET).await;
        handed_over
    }

    /// Says it to these sockets once, and drops what fails.
    pub(crate) async fn mention(&self, event: &Event, connections: Vec<Connection>) {
        let until = Instant::now() + limits::INLINE_PUSH_BUDGET;
        let slots = Semaphore::new(limits::CONCURRENT_PUSHES);
        let Pushed { gone, .. } = self.push_all(event, connections, &slots, Some(until)).await;
        self.settle(&[], gone, SETTLING_BUDGET).await;
    }

    /// The connections of everybody in these announcements, each looked up once. Who is missing
    /// could not be looked up in time.
    async fn look_up(
        &self,
        views: &[Announcement],
        until: Instant,
    ) -> BTreeMap<UserId, Vec<Connection>> {
        let now = self.clock.now();
        let lookups = lookups(views).into_iter().map(|users| async move {
            let found = timeout_at(until, self.connections.of_users(&users, now)).await;
            let connections = found.ok()?.ok()?;
            Some((users, connections))
        });
        let lookups: Vec<_> = lookups.collect();
        let mut found = futures::stream::iter(lookups).buffer_unordered(CONCURRENT_LOOKUPS);
        let mut known: BTreeMap<UserId, Vec<Connection>> = BTreeMap::new();
        while let Some(answer) = found.next().await {
            let Some((users, connections)) = answer else { continue };
            known.extend(users.into_iter().map(|user| (user, vec![])));
            for connection in connections {
                known.entry(connection.identity.user_id).or_default().push(connection);
            }
        }
        known
    }

    async fn announce_one(
        &self,
        announcement: Announcement,
        known: &BTreeMap<UserId, Vec<Connection>>,
        slots: &Semaphore,
        until: Instant,
    ) -> Rest {
        let of_recipient = |recipient: &Recipient| known.get(&recipient.user_id);
        let connections: Option<Vec<_>> =
            announcement.recipients.iter().map(of_recipient).collect();
        let Some(connections) = connections else {
            return Rest { jobs: to_members(announcement), ..Rest::default() };
        };
        let connections: Vec<_> = connections.into_iter().flatten().cloned().collect();
        let Announcement { event, trace_ids, .. } = announcement;
        if connections.len() > limits::INLINE_PUSH_CONNECTIONS {
            let jobs = to_connections(&event, &trace_ids, connections);
            return Rest { jobs, ..Rest::default() };
        }
        let begun_at = self.clock.now();
        let Pushed { devices, failed, gone } =
            self.push_all(&event, connections, slots, Some(until)).await;
        let note = note(&event, &trace_ids, devices, begun_at);
        Rest { jobs: to_connections(&event, &trace_ids, failed), note, gone }
    }

    /// Every connection is told, gone, or among the failed.
    async fn push_all(
        &self,
        event: &Event,
        connections: Vec<Connection>,
        slots: &Semaphore,
        until: Option<Instant>,
    ) -> Pushed {
        let pushes = connections.into_iter().map(|connection| async {
            let connection = connection;
            let push = async {
                let _slot = slots.acquire().await;
                // Slots come free when the time is over; nothing is begun then.
                if until.is_some_and(|until| until <= Instant::now()) {
                    return (PushOutcome::Failed, false);
                }
                // Asked before: its answer, or that of its neighbours, may take its youth.
                let may_be_pruned = self.may_be_pruned(&connection);
                (self.pusher.push(&connection.id, event).await, may_be_pruned)
            };
            let never = (PushOutcome::Failed, false);
            let outcome = match until {
                Some(until) => timeout_at(until, push).await.unwrap_or(never),
                None => push.await,
            };
            (outcome, connection)
        });
        let mut pushed = Pushed::default();
        for ((outcome, may_be_pruned), connection) in join_all(pushes).await {
            match outcome {
                PushOutcome::Delivered => pushed.devices += 1,
                PushOutcome::Gone if may_be_pruned => pushed.gone.push(connection),
                PushOutcome::Gone => {}
                PushOutcome::Failed => pushed.failed.push(connection),
            }
        }
        pushed
    }

    async fn hand_over(&self, jobs: Vec<FanOutJob>) -> Result<(), Failure> {
        if jobs.is_empty() { Ok(()) } else { self.fan_out.enqueue(jobs).await }
    }

    /// Leaves notes of what was told, for traces, and forgets sockets that are gone. All of it
    /// is best effort: what does not succeed in time is dropped.
    async fn settle(&self, notes: &[PushRecord], gone: Vec<Connection>, budget: Duration) {
        let noted = async {
            if notes.is_empty() {
                return;
            }
            if let Err(failure) = self.push_log.record(notes).await {
                tracing::warn!(error = %failure, pushes = notes.len(), "pushed, but not noted");
            }
        };
        let prunes: Vec<_> = gone.iter().map(|connection| self.prune(connection)).collect();
        let pruned = futures::stream::iter(prunes)
            .buffer_unordered(limits::CONCURRENT_PUSHES)
            .collect::<Vec<()>>();
        if timeout(budget, join(noted, pruned)).await.is_err() {
            let (notes, gone) = (notes.len(), gone.len());
            tracing::warn!(notes, gone, "told, but not all was noted or pruned in time");
        }
    }

    /// A young connection may not be open yet: its row exists before its socket does.
    fn may_be_pruned(&self, connection: &Connection) -> bool {
        self.clock.now().since(connection.since) >= limits::PRUNE_MIN_AGE
    }

    async fn prune(&self, connection: &Connection) {
        if let Err(failure) = self.connections.prune(connection).await {
            tracing::warn!(connection_id = %connection.id, error = %failure, "not pruned");
        }
    }
}

/// Whose connections are looked up together: those of few recipients in calls that miss nobody,
/// unless there are so many that it takes too many calls.
fn lookups(views: &[Announcement]) -> Vec<Vec<UserId>> {
    let of = |views: &mut dyn Iterator<Item = &Announcement>| -> BTreeSet<UserId> {
        views.flat_map(|view| &view.recipients).map(|recipient| recipient.user_id).collect()
    };
    let is_few = |view: &&Announcement| view.recipients.len() <= USERS_READ_CONSISTENTLY;
    let few = of(&mut views.iter().filter(is_few));
    let others: Vec<_> = of(&mut views.iter()).difference(&few).copied().collect();
    let few: Vec<_> = few.into_iter().collect();
    let size = if few.len() > limits::USERS_PER_JOB {
        limits::USERS_PER_JOB
    } else {
        USERS_READ_CONSISTENTLY
    };
    few.chunks(size).chain(others.chunks(limits::USERS_PER_JOB)).map(<[_]>::to_vec).collect()
}

/// What is noted of pushes for the trace of their messages; `None` when there is nothing to.
fn note(
    event: &Event,
    trace_ids: &[TraceId],
    devices: u32,
    begun_at: Timestamp,
) -> Option<PushRecord> {
    let (conversation_id, after, through) = event.numbers().filter(|_| devices > 0)?;
    let traces = traces(trace_ids);
    tracing::info!(%conversation_id, %through, devices, trace_ids = traces, "pushed");
    Some(PushRecord { conversation_id, after, through, devices, at: Some(begun_at) })
}

/// As log lines have them.
pub(crate) fn traces(trace_ids: &[TraceId]) -> String {
    trace_ids.iter().map(TraceId::to_string).collect::<Vec<_>>().join(" ")
}

/// Leaves all of it to the fan-out queue: for callers whose own answer is waited for.
pub(crate) async fn enqueue(
    queue: &dyn FanOutQueue,
    announcements: Vec<Announcement>,
) -> Result<(), Failure> {
    let views = announcements.into_iter().flat_map(Announcement::by_view);
    let jobs: Vec<_> = views.flat_map(to_members).collect();
    if jobs.is_empty() { Ok(()) } else { queue.enqueue(jobs).await }
}

fn to_members(announcement: Announcement) -> Vec<FanOutJob> {
    let Announcement { event, recipients, trace_ids } = announcement;
    let job = |some: &[Recipient]| FanOutJob::ToMembers {
        event: event.clone(),
        trace_ids: trace_ids.clone(),
        recipients: some.to_vec(),
    };
    recipients.chunks(limits::USERS_PER_JOB).map(job).collect()
}

fn to_connections(
    event: &Event,
    trace_ids: &[TraceId],
    connections: Vec<Connection>,
) -> Vec<FanOutJob> {
    let job = |some: &[Connection]| FanOutJob::ToConnections {
        event: event.clone(),
        trace_ids: trace_ids.to_vec(),
        connections: some.to_vec(),
    };
    connections.chunks(limits::CONNECTIONS_PER_JOB).map(job).collect()
}

/// The worker behind `events-to-fan-out`.
#[derive(Clone)]
pub struct FanOut {
    pub delivery: Delivery,
}

impl FanOut {
    /// An error sends the whole job round again: a push is at least once.
    pub async fn run(&self, job: FanOutJob) -> Result<(), Failure> {
        let (event, trace_ids, connections) = match job {
            FanOutJob::ToConnections { event, trace_ids, connections } => {
                (event, trace_ids, connections)
            }
            FanOutJob::ToMembers { event, trace_ids, recipients } => {
                let users: Vec<UserId> = recipients.iter().map(|r| r.user_id).collect();
                let now = self.delivery.clock.now();
                let found = self.delivery.connections.of_users(&users, now).await?;
                (event, trace_ids, found)
            }
        };
        if connections.len() > limits::CONNECTIONS_PER_JOB {
            let jobs = to_connections(&event, &trace_ids, connections);
            return self.delivery.hand_over(jobs).await;
        }
        let slots = Semaphore::new(limits::CONCURRENT_PUSHES);
        let begun_at = self.delivery.clock.now();
        let Pushed { devices, failed, gone } =
            self.delivery.push_all(&event, connections, &slots, None).await;
        let note = note(&event, &trace_ids, devices, begun_at);
        self.delivery.settle(note.as_slice(), gone, SETTLING_BUDGET_OF_FAN_OUT).await;
        if failed.is_empty() {
            return Ok(());
        }
        let count = failed.len();
        Err(Failure::unavailable("management api", format!("{count} connections were not told")))
    }
}
