//! The queues in memory, with the groups and the visibility of SQS FIFO.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConversationId, EmailAddress, Timestamp, UserId};
use service::port::{
    Clock, ErasureQueue, Failure, FanOutJob, FanOutQueue, MailJob, MailQueue, PersistLane,
    PersistQueue, PresenceQueue, PushLog, PushRecord, Quarantined, Receipt, ReceiptClaim,
    ReceiptQueue, RecordJob, Submission,
};

/// How long a received message stays invisible, as `template.yaml` sets it.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);

/// All queues. A received message blocks its group until it is deleted, deferred and due, or
/// its visibility timeout is over.
pub struct FakeQueues {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_down: bool,
    sent: u64,
    lane: Vec<Waiting>,
    quarantined: Vec<Quarantined>,
    fan_out: Vec<FanOutJob>,
    records: Vec<RecordJob>,
    /// By when they are due, then in the order in which they came.
    presence: BTreeMap<(Timestamp, u64), UserId>,
    announced: u64,
    mails: Vec<MailJob>,
    goodbyes: Vec<(UserId, EmailAddress)>,
}

struct Waiting {
    receipt: Receipt,
    group: ConversationId,
    submissions: Vec<Submission>,
    receives: u32,
    hidden_until: Option<Timestamp>,
}

/// One queue message as a worker receives it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedJob {
    pub receipt: Receipt,
    pub submissions: Vec<Submission>,
    /// 1 for the first time.
    pub receives: u32,
}

impl FakeQueues {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::default() })
    }

    /// Makes every call fail as an outage does, or ends the outage.
    pub fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    /// Up to `most` messages of groups that nothing blocks, oldest first.
    pub fn receive(&self, most: usize) -> Vec<ReceivedJob> {
        let now = self.clock.now();
        let mut state = self.lock();
        let hidden = |waiting: &Waiting| waiting.hidden_until.is_some_and(|until| now < until);
        let blocked: BTreeSet<_> =
            state.lane.iter().filter(|waiting| hidden(waiting)).map(|w| w.group).collect();
        let open = state.lane.iter_mut().filter(|waiting| !blocked.contains(&waiting.group));
        open.take(most).map(|waiting| waiting.receive(now)).collect()
    }

    /// How many messages wait in the lane, received or not.
    pub fn lane_length(&self) -> usize {
        self.lock().lane.len()
    }

    pub fn quarantined(&self) -> Vec<Quarantined> {
        self.lock().quarantined.clone()
    }

    /// Everything in the fan-out queue; it is empty afterwards.
    pub fn drain_fan_out(&self) -> Vec<FanOutJob> {
        std::mem::take(&mut self.lock().fan_out)
    }

    /// Everything in `receipts-to-record`; it is empty afterwards.
    pub fn drain_records(&self) -> Vec<RecordJob> {
        std::mem::take(&mut self.lock().records)
    }

    /// Whose presence is to be looked at by now; what is not due stays.
    pub fn drain_presence(&self) -> Vec<UserId> {
        let mut state = self.lock();
        let later = state.presence.split_off(&(self.clock.now(), u64::MAX));
        std::mem::replace(&mut state.presence, later).into_values().collect()
    }

    /// Everything in `mail-to-send`; it is empty afterwards.
    pub fn drain_mails(&self) -> Vec<MailJob> {
        std::mem::take(&mut self.lock().mails)
    }

    /// Everything in `accounts-to-erase`; it is empty afterwards.
    pub fn drain_erasures(&self) -> Vec<(UserId, EmailAddress)> {
        std::mem::take(&mut self.lock().goodbyes)
    }

    /// How many announcements wait, due or not.
    pub fn presence_length(&self) -> usize {
        self.lock().presence.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> Result<MutexGuard<'_, State>, Failure> {
        let state = self.lock();
        if state.is_down {
            return Err(Failure::unavailable("sqs", "a test took it down"));
        }
        Ok(state)
    }
}

impl Waiting {
    fn receive(&mut self, now: Timestamp) -> ReceivedJob {
        self.receives += 1;
        self.hidden_until = Some(now.plus(VISIBILITY_TIMEOUT));
        self.receipt.handle = format!("{}/{}", self.receipt.message_id, self.receives);
        let (receipt, submissions) = (self.receipt.clone(), self.submissions.clone());
        ReceivedJob { receipt, submissions, receives: self.receives }
    }
}

#[async_trait]
impl PersistQueue for FakeQueues {
    async fn enqueue(&self, submissions: &[Submission]) -> Result<(), Failure> {
        let mut state = self.reach()?;
        let Some(first) = submissions.first() else {
            return Err(Failure::bug("persist queue", "a job needs a submission"));
        };
        let of_one = |s: &Submission| {
            s.conversation_id == first.conversation_id && s.sender_id == first.sender_id
        };
        if !submissions.iter().all(of_one) {
            return Err(Failure::bug(
                "persist queue",
                "a job is of one sender in one conversation",
            ));
        }
        state.sent += 1;
        let message_id = format!("message-{}", state.sent);
        state.lane.push(Waiting {
            receipt: Receipt { message_id, handle: String::new() },
            group: first.conversation_id,
            submissions: submissions.to_vec(),
            receives: 0,
            hidden_until: None,
        });
        Ok(())
    }
}

#[async_trait]
impl PersistLane for FakeQueues {
    /// A handle of an earlier receive deletes nothing: the message comes again.
    async fn delete(&self, receipts: &[Receipt]) -> Result<(), Failure> {
        self.reach()?.lane.retain(|waiting| !receipts.contains(&waiting.receipt));
        Ok(())
    }

    async fn defer(&self, receipts: &[Receipt], seconds: u32) -> Result<(), Failure> {
        let until = self.clock.now().plus(Duration::from_secs(seconds.into()));
        let mut state = self.reach()?;
        for waiting in state.lane.iter_mut().filter(|w| receipts.contains(&w.receipt)) {
            waiting.hidden_until = Some(until);
        }
        Ok(())
    }

    async fn quarantine(&self, job: Quarantined) -> Result<(), Failure> {
        self.reach()?.quarantined.push(job);
        Ok(())
    }
}

#[async_trait]
impl FanOutQueue for FakeQueues {
    async fn enqueue(&self, jobs: Vec<FanOutJob>) -> Result<(), Failure> {
        self.reach()?.fan_out.extend(jobs);
        Ok(())
    }
}

#[async_trait]
impl ReceiptQueue for FakeQueues {
    async fn enqueue(&self, claim: ReceiptClaim) -> Result<(), Failure> {
        self.reach()?.records.push(RecordJob::Receipt(claim));
        Ok(())
    }
}

#[async_trait]
impl PushLog for FakeQueues {
    async fn record(&self, pushes: &[PushRecord]) -> Result<(), Failure> {
        self.reach()?.records.extend(pushes.iter().copied().map(RecordJob::Push));
        Ok(())
    }
}

#[async_trait]
impl PresenceQueue for FakeQueues {
    async fn enqueue(&self, user: UserId, delay: Duration) -> Result<(), Failure> {
        let due_at = self.clock.now().plus(delay);
        let mut state = self.reach()?;
        state.announced += 1;
        let place = (due_at, state.announced);
        state.presence.insert(place, user);
        Ok(())
    }
}

#[async_trait]
impl MailQueue for FakeQueues {
    async fn enqueue(&self, job: MailJob) -> Result<(), Failure> {
        self.reach()?.mails.push(job);
        Ok(())
    }
}

#[async_trait]
impl ErasureQueue for FakeQueues {
    async fn enqueue(&self, user: UserId, email: &EmailAddress) -> Result<(), Failure> {
        self.reach()?.goodbyes.push((user, email.clone()));
        Ok(())
    }
}
