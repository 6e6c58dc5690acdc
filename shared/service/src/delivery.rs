//! Telling the members: a few at once, many through the fan-out queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Seq, TraceId, UserId, limits};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::port::{
    Clock, ConnectionStore, Failure, FanOutJob, FanOutQueue, PushLog, PushOutcome, PushRecord,
    Pusher,
};
use crate::{Connection, Event, Recipient};

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

    /// One announcement for those who may see all of it, and one for each who joined later.
    fn by_view(self) -> Vec<Self> {
        let mut views: BTreeMap<Seq, Vec<Recipient>> = BTreeMap::new();
        for recipient in self.recipients {
            let cut = self.event.is_cut_for(recipient.joined_seq);
            let view = if cut { recipient.joined_seq } else { Seq::ZERO };
            views.entry(view).or_default().push(recipient);
        }
        let seen = |(from, recipients)| {
            Self::new(self.event.seen_from(from), recipients).traced(self.trace_ids.clone())
        };
        views.into_iter().map(seen).collect()
    }
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
        let told = views.map(|announcement| self.announce_one(announcement, &slots, until));
        let jobs: Vec<_> = futures::future::join_all(told).await.into_iter().flatten().collect();
        if jobs.is_empty() { Ok(()) } else { self.fan_out.enqueue(jobs).await }
    }

    /// Says it to these sockets, at once or through the fan-out queue.
    pub(crate) async fn tell(
        &self,
        event: Event,
        connections: Vec<Connection>,
    ) -> Result<(), Failure> {
        let until = Instant::now() + limits::INLINE_PUSH_BUDGET;
        let slots = Semaphore::new(limits::CONCURRENT_PUSHES);
        let failed = match connections.len() {
            0..=limits::INLINE_PUSH_CONNECTIONS => {
                self.push_all(&event, &[], connections, &slots, Some(until)).await
            }
            _ => connections,
        };
        if failed.is_empty() {
            return Ok(());
        }
        self.fan_out.enqueue(to_connections(&event, &[], failed)).await
    }

    /// Says it to these sockets once, and drops what fails.
    pub(crate) async fn mention(&self, event: &Event, connections: Vec<Connection>) {
        let until = Instant::now() + limits::INLINE_PUSH_BUDGET;
        let slots = Semaphore::new(limits::CONCURRENT_PUSHES);
        self.push_all(event, &[], connections, &slots, Some(until)).await;
    }

    async fn announce_one(
        &self,
        announcement: Announcement,
        slots: &Semaphore,
        until: Instant,
    ) -> Vec<FanOutJob> {
        if announcement.recipients.len() > limits::USERS_PER_JOB {
            return to_members(announcement);
        }
        let users: Vec<_> = announcement.recipients.iter().map(|r| r.user_id).collect();
        let found = timeout_at(until, self.connections.of_users(&users, self.clock.now())).await;
        let connections = match found {
            Ok(Ok(connections)) => connections,
            Ok(Err(_)) | Err(_) => return to_members(announcement),
        };
        let Announcement { event, trace_ids, .. } = announcement;
        if connections.len() > limits::INLINE_PUSH_CONNECTIONS {
            return to_connections(&event, &trace_ids, connections);
        }
        let failed = self.push_all(&event, &trace_ids, connections, slots, Some(until)).await;
        to_connections(&event, &trace_ids, failed)
    }

    /// Answers the connections that could not be told.
    async fn push_all(
        &self,
        event: &Event,
        trace_ids: &[TraceId],
        connections: Vec<Connection>,
        slots: &Semaphore,
        until: Option<Instant>,
    ) -> Vec<Connection> {
        let delivered = AtomicU32::new(0);
        let pushes = connections.into_iter().map(|connection| async {
            let connection = connection;
            let push = async {
                let _slot = slots.acquire().await;
                // Slots come free when the time is over; nothing is begun then.
                if until.is_some_and(|until| until <= Instant::now()) {
                    return PushOutcome::Failed;
                }
                self.pusher.push(&connection.id, event).await
            };
            let outcome = match until {
                Some(until) => timeout_at(until, push).await.unwrap_or(PushOutcome::Failed),
                None => push.await,
            };
            match outcome {
                PushOutcome::Delivered => {
                    delivered.fetch_add(1, Ordering::Relaxed);
                    None
                }
                PushOutcome::Gone => {
                    self.prune(&connection).await;
                    None
                }
                PushOutcome::Failed => Some(connection),
            }
        });
        let failed = futures::future::join_all(pushes).await.into_iter().flatten().collect();
        self.note(event, trace_ids, delivered.into_inner()).await;
        failed
    }

    /// Leaves a note of what was told, for the trace of its messages.
    async fn note(&self, event: &Event, trace_ids: &[TraceId], devices: u32) {
        let Some((conversation_id, after, through)) = event.numbers() else { return };
        if devices == 0 {
            return;
        }
        let traces = traces(trace_ids);
        tracing::info!(%conversation_id, %through, devices, trace_ids = traces, "pushed");
        let push = PushRecord { conversation_id, after, through, devices };
        if let Err(failure) = self.push_log.record(&[push]).await {
            tracing::warn!(error = %failure, %conversation_id, "pushed, but not noted");
        }
    }

    /// A young connection may not be open yet: its row exists before its socket does.
    async fn prune(&self, connection: &Connection) {
        if self.clock.now().since(connection.since) < limits::PRUNE_MIN_AGE {
            return;
        }
        if let Err(failure) = self.connections.prune(connection).await {
            tracing::warn!(connection_id = %connection.id, error = %failure, "not pruned");
        }
    }
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
            return self
                .delivery
                .fan_out
                .enqueue(to_connections(&event, &trace_ids, connections))
                .await;
        }
        let slots = Semaphore::new(limits::CONCURRENT_PUSHES);
        let failed = self.delivery.push_all(&event, &trace_ids, connections, &slots, None).await;
        if failed.is_empty() {
            return Ok(());
        }
        let count = failed.len();
        Err(Failure::unavailable("management api", format!("{count} connections were not told")))
    }
}
