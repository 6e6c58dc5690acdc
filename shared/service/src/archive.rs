//! The worker behind `messages-to-persist.fifo`: commit, then push.

mod batch;
mod verdicts;

use std::sync::Arc;
use std::time::Duration;

use domain::limits;
use tokio::time::{Instant, timeout, timeout_at};

use crate::port::{
    AppendError, Clock, Commit, Failure, MessageStore, PersistLane, Quarantined, Receipt,
    Submission,
};
use crate::{Announcement, Delivery};
use batch::Group;

/// One received queue message.
#[derive(Debug, Clone)]
pub struct PersistJob {
    pub receipt: Receipt,
    /// The FIFO group: the conversation's id.
    pub group_id: String,
    /// 1 on the first delivery.
    pub receive_count: u32,
    pub body: String,
    /// What the body says, or why it cannot be read.
    pub submissions: Result<Vec<Submission>, String>,
}

/// Turns accepted messages into history and tells the members.
#[derive(Clone)]
pub struct Archive {
    pub history: Arc<dyn MessageStore>,
    pub lane: Arc<dyn PersistLane>,
    pub delivery: Delivery,
    pub clock: Arc<dyn Clock>,
}

/// Whether a message that fails for an unknown reason is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judging {
    Yes,
    No,
}

const BAD_DATA: domain::Rejection = domain::Rejection::InvalidMessage;

impl Judging {
    /// After five receives, and only with time enough: what waited behind a group that took it
    /// all must not pay for that.
    fn of(job: &PersistJob, until: Instant) -> Self {
        let is_due = job.receive_count >= limits::RECEIVES_BEFORE_QUARANTINE;
        let has_time =
            until.saturating_duration_since(Instant::now()) >= limits::SUSPECT_DEADLINE / 2;
        if is_due && has_time { Self::Yes } else { Self::No }
    }

    /// Until when the whole job may take. After an outage every job was received often; most of
    /// the time goes to the try that stores it as if nothing had happened.
    fn first_try(self, until: Instant) -> Instant {
        let now = Instant::now();
        match self {
            Self::Yes => now + until.saturating_duration_since(now) * 2 / 3,
            Self::No => until,
        }
    }

    /// Until when the next of so many messages may take. One that never ends must leave time for
    /// the others, and for the question whether the database is well.
    fn share(self, until: Instant, messages_left: usize) -> Instant {
        let shares = u32::try_from(messages_left).unwrap_or(u32::MAX).saturating_add(1);
        let now = Instant::now();
        match self {
            Self::Yes => now + until.saturating_duration_since(now) / shares,
            Self::No => until,
        }
    }
}

fn deferred(job: &PersistJob, error: &AppendError) -> (Receipt, u32) {
    tracing::warn!(error = %error, group_id = job.group_id, "group deferred");
    (job.receipt.clone(), batch::delay_seconds(job))
}

/// What became of one group of a batch.
#[derive(Debug, Default)]
struct Outcome {
    /// To be told, once committed.
    announcements: Vec<Announcement>,
    /// The jobs that are done with.
    done: Vec<Receipt>,
    /// The jobs that must come again, with the seconds until then.
    failed: Vec<(Receipt, u32)>,
}

impl Outcome {
    fn absorb(&mut self, other: Self) {
        self.announcements.extend(other.announcements);
        self.done.extend(other.done);
        self.failed.extend(other.failed);
    }
}

impl Archive {
    /// Works through a batch until `deadline` and answers the message ids that must come again.
    ///
    /// Groups that failed before run last, each alone under its own deadline, after the others
    /// are committed, told and deleted: whatever they do delays only their own conversation.
    pub async fn persist(&self, jobs: Vec<PersistJob>, deadline: Instant) -> Vec<String> {
        let (healthy, suspects): (Vec<_>, Vec<_>) =
            Group::of_jobs(jobs).into_iter().partition(Group::is_healthy);
        let reserve = if suspects.is_empty() { Duration::ZERO } else { limits::SUSPECT_DEADLINE };
        let mut failed = Vec::new();
        if !healthy.is_empty() {
            let until = deadline.checked_sub(reserve).unwrap_or(deadline);
            let outcome = self.write_healthy(healthy, until).await;
            let done = self.finish(outcome, &mut failed).await;
            if !suspects.is_empty() {
                self.delete(&done).await;
            }
        }
        for group in batch::in_turn(suspects) {
            let until = deadline.min(Instant::now() + limits::SUSPECT_DEADLINE);
            let outcome = self.write_suspect(group, until).await;
            let done = self.finish(outcome, &mut failed).await;
            self.delete(&done).await;
        }
        failed
    }

    /// All groups in one transaction; on an error, halves by conversation down to one.
    async fn write_healthy(&self, groups: Vec<Group>, until: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        let mut open = vec![groups];
        while let Some(mut groups) = open.pop() {
            let unreadable = groups.iter_mut().flat_map(Group::take_unreadable).collect::<Vec<_>>();
            outcome.absorb(self.set_aside_all(unreadable).await);
            groups.retain(|group| !group.jobs.is_empty());
            let submissions: Vec<_> = groups.iter().flat_map(Group::submissions).collect();
            if submissions.is_empty() {
                continue;
            }
            match self.append(&submissions, until).await {
                Ok(commit) => {
                    outcome.announcements.extend(verdicts::announcements(&submissions, commit));
                    outcome.done.extend(groups.iter().flat_map(Group::receipts));
                }
                Err(AppendError::Transient(source)) => {
                    tracing::warn!(error = %source, groups = groups.len(), "cannot write now");
                    outcome.failed.extend(groups.iter().flat_map(Group::deferred));
                }
                Err(_) if groups.len() > 1 => {
                    let rest = groups.split_off(groups.len() / 2);
                    open.extend([rest, groups]);
                }
                Err(_) => {
                    for group in groups {
                        outcome.absorb(self.write_one_by_one(group, until).await);
                    }
                }
            }
        }
        outcome
    }

    /// Alone; what takes too long here may be the group's own fault.
    async fn write_suspect(&self, mut group: Group, until: Instant) -> Outcome {
        let mut outcome = self.set_aside_all(group.take_unreadable()).await;
        if !group.jobs.is_empty() {
            outcome.absorb(self.write_one_by_one(group, until).await);
        }
        outcome
    }

    /// In order; the first job that fails takes all later ones of its group with it.
    async fn write_one_by_one(&self, mut group: Group, until: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        while !group.jobs.is_empty() {
            let job = group.jobs.remove(0);
            let written = self.write_job(job, until).await;
            let delay = written.failed.first().map(|(_, seconds)| *seconds);
            outcome.absorb(written);
            if let Some(seconds) = delay {
                outcome.failed.extend(group.receipts().map(|receipt| (receipt, seconds)));
                return outcome;
            }
        }
        outcome
    }

    async fn write_job(&self, job: PersistJob, until: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        let submissions = job.submissions.as_deref().unwrap_or_default();
        let judging = Judging::of(&job, until);
        match self.append(submissions, judging.first_try(until)).await {
            Ok(commit) => {
                outcome.announcements.extend(verdicts::announcements(submissions, commit));
                outcome.done.push(job.receipt);
            }
            Err(AppendError::BadData(_)) => {
                return self.write_message_by_message(job, until, judging).await;
            }
            Err(AppendError::Unknown(_)) if judging == Judging::Yes => {
                return self.write_message_by_message(job, until, judging).await;
            }
            Err(error) => outcome.failed.push(deferred(&job, &error)),
        }
        outcome
    }

    /// Saves what can be saved of a job with a bad message in it, and tells its sender the rest.
    async fn write_message_by_message(
        &self,
        job: PersistJob,
        until: Instant,
        judging: Judging,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut is_set_aside = false;
        let submissions = job.submissions.as_deref().unwrap_or_default();
        for (index, one) in submissions.chunks(1).enumerate() {
            let until = judging.share(until, submissions.len() - index);
            match self.append(one, until).await {
                Ok(commit) => outcome.announcements.extend(verdicts::announcements(one, commit)),
                Err(AppendError::BadData(_)) => {
                    outcome.announcements.extend(verdicts::rejections(one, BAD_DATA));
                }
                Err(AppendError::Unknown(source))
                    if judging == Judging::Yes && self.is_database_well().await =>
                {
                    tracing::error!(error = %source, group_id = job.group_id, "poisoned message");
                    // Before the next one is stored: should this job come again, what was passed
                    // over may be well by then, and stands behind its successors. And nobody is
                    // told that a message is set aside before it is.
                    if !is_set_aside {
                        let reason = "unknown errors, again and again";
                        let set_aside = self.set_aside(job.clone(), reason).await;
                        if !set_aside.failed.is_empty() {
                            outcome.failed.extend(set_aside.failed);
                            return outcome;
                        }
                        is_set_aside = true;
                    }
                    let told = verdicts::rejections(one, domain::Rejection::Quarantined);
                    outcome.announcements.extend(told);
                }
                Err(error) => {
                    outcome.failed.push(deferred(&job, &error));
                    return outcome;
                }
            }
        }
        outcome.done.push(job.receipt);
        outcome
    }

    /// Tells a poisoned message from a database that is down.
    async fn is_database_well(&self) -> bool {
        matches!(timeout(limits::PING_TIMEOUT, self.history.ping()).await, Ok(Ok(())))
    }

    /// A step that is not even begun is never a message's own fault; one that takes too long may
    /// be.
    async fn append(&self, some: &[Submission], until: Instant) -> Result<Commit, AppendError> {
        if until <= Instant::now() {
            return Err(AppendError::Transient("no time is left".into()));
        }
        match timeout_at(until, self.history.append(some)).await {
            Ok(result) => result,
            Err(elapsed) => Err(AppendError::Unknown(elapsed.into())),
        }
    }

    async fn set_aside_all(&self, jobs: Vec<PersistJob>) -> Outcome {
        let mut outcome = Outcome::default();
        for job in jobs {
            outcome.absorb(self.set_aside(job, "the body cannot be read").await);
        }
        outcome
    }

    async fn set_aside(&self, job: PersistJob, reason: &str) -> Outcome {
        let mut outcome = Outcome::default();
        let delay = batch::delay_seconds(&job);
        let quarantined = Quarantined {
            conversation_id: job.group_id.parse().ok(),
            body: job.body,
            reason: reason.to_owned(),
            at: self.clock.now(),
        };
        match self.lane.quarantine(quarantined).await {
            Ok(()) => {
                tracing::error!(group_id = job.group_id, metric = "quarantined", "{reason}");
                outcome.done.push(job.receipt);
            }
            Err(failure) => {
                tracing::error!(error = %failure, group_id = job.group_id, "not quarantined");
                outcome.failed.push((job.receipt, delay));
            }
        }
        outcome
    }

    /// Tells the members, then settles the failures. When the telling itself fails, the queue is
    /// the outbox: the jobs come again and the pushes with them.
    async fn finish(&self, outcome: Outcome, failed: &mut Vec<String>) -> Vec<Receipt> {
        let Outcome { announcements, done, failed: mut deferred } = outcome;
        let told: Result<(), Failure> = self.delivery.announce(announcements).await;
        let done = match told {
            Ok(()) => done,
            Err(failure) => {
                tracing::warn!(error = %failure, "committed, but not all members were told");
                deferred.extend(done.into_iter().map(|r| (r, *limits::DEFER_SECONDS.start())));
                vec![]
            }
        };
        self.defer(&deferred).await;
        failed.extend(deferred.into_iter().map(|(receipt, _)| receipt.message_id));
        done
    }

    async fn defer(&self, deferred: &[(Receipt, u32)]) {
        for seconds in limits::DEFER_SECONDS {
            let due =
                |(receipt, after): &(Receipt, u32)| (*after == seconds).then(|| receipt.clone());
            let receipts: Vec<_> = deferred.iter().filter_map(due).collect();
            if receipts.is_empty() {
                continue;
            }
            if let Err(failure) = self.lane.defer(&receipts, seconds).await {
                tracing::warn!(error = %failure, "the group waits for its whole visibility");
            }
        }
    }

    async fn delete(&self, done: &[Receipt]) {
        if done.is_empty() {
            return;
        }
        if let Err(failure) = self.lane.delete(done).await {
            tracing::warn!(error = %failure, "not deleted; a repeat is known by its client_id");
        }
    }
}
