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
            let until = deadline - reserve;
            let outcome = self.write_healthy(healthy, until).await;
            let done = self.finish(outcome, &mut failed).await;
            if !suspects.is_empty() {
                self.delete(&done).await;
            }
        }
        for group in suspects {
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
            let submissions = job.submissions.clone().unwrap_or_default();
            match self.append(&submissions, until).await {
                Ok(commit) => {
                    outcome.announcements.extend(verdicts::announcements(&submissions, commit));
                    outcome.done.push(job.receipt);
                }
                Err(AppendError::BadData(_)) => {
                    outcome.absorb(self.write_message_by_message(job, until).await);
                }
                Err(AppendError::Unknown(source)) if self.is_poison(&job).await => {
                    tracing::error!(error = %source, group_id = job.group_id, "poisoned job");
                    outcome.absorb(self.write_message_by_message(job, until).await);
                }
                Err(error) => {
                    tracing::warn!(error = %error, group_id = job.group_id, "group deferred");
                    group.jobs.insert(0, job);
                    outcome.failed.extend(group.deferred());
                    return outcome;
                }
            }
            if !outcome.failed.is_empty() {
                outcome.failed.extend(group.deferred());
                return outcome;
            }
        }
        outcome
    }

    /// Saves what can be saved of a job with a bad message in it, and tells its sender the rest.
    async fn write_message_by_message(&self, job: PersistJob, until: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        let mut is_poisoned = false;
        for submission in job.submissions.iter().flatten() {
            let one = std::slice::from_ref(submission);
            let rejection = match self.append(one, until).await {
                Ok(commit) => {
                    outcome.announcements.extend(verdicts::announcements(one, commit));
                    continue;
                }
                Err(AppendError::BadData(_)) => domain::Rejection::InvalidMessage,
                Err(AppendError::Unknown(_)) if self.is_poison(&job).await => {
                    is_poisoned = true;
                    domain::Rejection::Quarantined
                }
                Err(_) => {
                    outcome.failed.push((job.receipt.clone(), batch::delay_seconds(&job)));
                    return outcome;
                }
            };
            outcome.announcements.push(verdicts::rejection(submission, rejection));
        }
        if is_poisoned {
            outcome.absorb(self.set_aside(job, "unknown errors, again and again").await);
        } else {
            outcome.done.push(job.receipt);
        }
        outcome
    }

    /// After five receives, while the database is well.
    async fn is_poison(&self, job: &PersistJob) -> bool {
        let is_well = async {
            matches!(timeout(limits::PING_TIMEOUT, self.history.ping()).await, Ok(Ok(())))
        };
        job.receive_count >= limits::RECEIVES_BEFORE_QUARANTINE && is_well.await
    }

    async fn append(&self, some: &[Submission], until: Instant) -> Result<Commit, AppendError> {
        match timeout_at(until, self.history.append(some)).await {
            Ok(result) => result,
            // Alone, again and again, a timeout is as good a sign of poison as any other error.
            Err(elapsed) if some.len() <= limits::MESSAGES_PER_FRAME => {
                Err(AppendError::Unknown(elapsed.into()))
            }
            Err(elapsed) => Err(AppendError::Transient(elapsed.into())),
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
