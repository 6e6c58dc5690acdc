//! A queue's batch as workers see it. What failed comes again; that is handled here, once.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use aws::jobs;
use domain::{EmailAddress, UserId};
use futures::future::{BoxFuture, FutureExt};
use service::PersistJob;
use service::port::{Failure, FanOutJob, MailJob, Receipt, RecordJob};
use tokio::time::Instant;

use crate::connect::Parts;
use crate::telemetry::chain;
use crate::{entry, lambda};

/// What SQS handed over.
#[derive(Debug)]
pub struct Batch {
    pub(crate) jobs: Vec<Job>,
    /// When the answer must be there, with a margin for sending it.
    pub deadline: Instant,
}

/// One queue message.
#[derive(Debug, Clone)]
pub struct Job {
    pub(crate) receipt: Receipt,
    pub(crate) group_id: String,
    pub(crate) receive_count: u32,
    pub(crate) body: String,
}

/// The message ids that must come again.
pub type Failed = Vec<String>;

impl Batch {
    /// The batch as jobs of the persist lane, in order; unreadable ones say why.
    pub fn persist_jobs(self) -> Vec<PersistJob> {
        let job = |job: Job| PersistJob {
            submissions: jobs::decode_persist(&job.body).map_err(|error| error.to_string()),
            receipt: job.receipt,
            group_id: job.group_id,
            receive_count: job.receive_count,
            body: job.body,
        };
        self.jobs.into_iter().map(job).collect()
    }

    /// Runs every job at once; see [`Self::each`].
    pub async fn each_fan_out<F>(self, run: impl Fn(FanOutJob) -> F) -> Failed
    where
        F: Future<Output = Result<(), Failure>>,
    {
        self.each(jobs::decode_fan_out, run).await
    }

    /// Runs every announcement at once; see [`Self::each`].
    pub async fn each_announcement<F>(self, run: impl Fn(UserId) -> F) -> Failed
    where
        F: Future<Output = Result<(), Failure>>,
    {
        self.each(jobs::decode_announcement, run).await
    }

    /// Sends every mail at once; see [`Self::each`].
    pub async fn each_mail<F>(self, run: impl Fn(MailJob) -> F) -> Failed
    where
        F: Future<Output = Result<(), Failure>>,
    {
        self.each(jobs::decode_mail, run).await
    }

    /// Erases every account at once; see [`Self::each`].
    pub async fn each_erasure<F>(self, run: impl Fn(UserId, EmailAddress) -> F) -> Failed
    where
        F: Future<Output = Result<(), Failure>>,
    {
        self.each(jobs::decode_erasure, |(user, email)| run(user, email)).await
    }

    /// A job that fails or cannot be read comes again, and after the queue's redrive count it goes
    /// to the dead-letter queue.
    async fn each<J, E, F>(
        self,
        decode: impl Fn(&str) -> Result<J, E>,
        run: impl Fn(J) -> F,
    ) -> Failed
    where
        E: std::fmt::Display,
        F: Future<Output = Result<(), Failure>>,
    {
        let runs = self.jobs.into_iter().map(|job| {
            let decoded = decode(&job.body).map(&run);
            async move {
                let problem = match decoded {
                    Ok(running) => running.await.err().map(|failure| chain(&failure)),
                    Err(unreadable) => Some(unreadable.to_string()),
                };
                job.comes_again(problem?)
            }
        });
        futures::future::join_all(runs).await.into_iter().flatten().collect()
    }

    /// Hands over all records at once, and whether some of them came before: what can be read
    /// succeeds or comes again as a whole. What cannot be read comes again by itself, and ends in
    /// the dead-letter queue.
    pub async fn all_records<F>(self, record: impl FnOnce(Vec<RecordJob>, bool) -> F) -> Failed
    where
        F: Future<Output = Result<(), Failure>>,
    {
        let (mut records, mut readable, mut failed) = (Vec::new(), Vec::new(), Failed::new());
        let is_again = self.jobs.iter().any(|job| job.receive_count > 1);
        for job in self.jobs {
            match jobs::decode_record(&job.body) {
                Ok(read) => {
                    records.push(read);
                    readable.push(job.receipt.message_id);
                }
                Err(unreadable) => failed.extend(job.comes_again(unreadable.to_string())),
            }
        }
        if records.is_empty() {
            return failed;
        }
        if let Err(failure) = record(records, is_again).await {
            let count = readable.len();
            tracing::warn!(error = chain(&failure), count, "the whole batch comes again");
            failed.extend(readable);
        }
        failed
    }
}

impl Job {
    /// Says why, and which message it is.
    fn comes_again(self, problem: String) -> Option<String> {
        tracing::warn!(error = problem, receive_count = self.receive_count, "a job comes again");
        Some(self.receipt.message_id)
    }
}

pub(crate) type Worker = Arc<dyn Fn(Batch) -> BoxFuture<'static, Failed> + Send + Sync>;

/// Serves a queue.
pub fn consume<S, W, F>(connect: fn(&Parts) -> S, worker: W) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    W: Fn(S, Batch) -> F + Send + Sync + 'static,
    F: Future<Output = Failed> + Send + 'static,
{
    entry::run(entry::service_name::<W>(), move |parts| {
        let service = connect(parts);
        let worker: Worker = Arc::new(move |batch| worker(service.clone(), batch).boxed());
        lambda::serve_queue(worker, parts.meter())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const PERSIST: &str = include_str!("../../../protocol/examples/job-persist-messages.json");
    const TO_CONNECTIONS: &str =
        include_str!("../../../protocol/examples/job-fan-out-to-connections.json");
    const TO_MEMBERS: &str = include_str!("../../../protocol/examples/job-fan-out-to-members.json");

    /// Messages `1`, `2`, … with these bodies.
    fn batch(bodies: &[&str]) -> Batch {
        let job = |(index, body): (usize, &&str)| Job {
            receipt: Receipt { message_id: (index + 1).to_string(), handle: "handle".into() },
            group_id: "group".into(),
            receive_count: 2,
            body: (*body).to_owned(),
        };
        let jobs = bodies.iter().enumerate().map(job).collect();
        Batch { jobs, deadline: Instant::now() }
    }

    #[test]
    fn what_cannot_be_read_stays_in_its_place_and_says_why_without_its_text() {
        let hostile = [
            "",
            "hunter2",
            "null",
            "{\"job\":\"persist-messages/9\"}",
            TO_MEMBERS,
            "{\"job\":\"persist-messages/1\",\"hunter2\":1}",
        ];
        let bodies: Vec<&str> = hostile.into_iter().chain([PERSIST]).collect();
        let jobs = batch(&bodies).persist_jobs();
        let ids: Vec<_> = jobs.iter().map(|job| job.receipt.message_id.as_str()).collect();
        assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7"]);
        for job in &jobs[..6] {
            let why = job.submissions.as_ref().unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
        let last = &jobs[6];
        assert_eq!((last.receive_count, last.group_id.as_str()), (2, "group"));
        assert_eq!(last.body, PERSIST, "as it came, for the quarantine");
        assert_eq!(last.submissions.as_ref().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn only_the_fan_out_jobs_that_failed_or_cannot_be_read_come_again() {
        let run = Mutex::new(0);
        let failed =
            batch(&[TO_CONNECTIONS, "nonsense", TO_MEMBERS, PERSIST]).each_fan_out(|job| {
                *run.lock().unwrap() += 1;
                async move {
                    match job {
                        FanOutJob::ToConnections { .. } => Ok(()),
                        FanOutJob::ToMembers { .. } => {
                            Err(Failure::unavailable("dynamodb", "a test"))
                        }
                    }
                }
            });
        assert_eq!(failed.await, ["2", "3", "4"]);
        assert_eq!(*run.lock().unwrap(), 2);
    }

    const RECEIPT: &str = include_str!("../../../protocol/examples/job-record-receipt.json");
    const PUSH: &str = include_str!("../../../protocol/examples/job-record-push.json");
    const PRESENCE: &str = include_str!("../../../protocol/examples/job-announce-presence.json");

    #[tokio::test]
    async fn records_that_can_be_read_are_handed_over_at_once() {
        let given = Mutex::new(vec![]);
        let some = batch(&[RECEIPT, "", PUSH, PRESENCE, "null", RECEIPT]);
        let failed = some.all_records(|records, is_again| {
            given.lock().unwrap().push((records.len(), is_again));
            async { Ok(()) }
        });
        assert_eq!(failed.await, ["2", "4", "5"]);
        assert_eq!(*given.lock().unwrap(), [(3, true)], "each was received twice");
    }

    #[tokio::test]
    async fn records_come_again_as_a_whole() {
        let down = |_, _| async { Err(Failure::unavailable("postgres", "a test")) };
        let failed = batch(&[RECEIPT, "hunter2", PUSH]).all_records(down).await;
        assert_eq!(failed, ["2", "1", "3"]);
    }

    #[tokio::test]
    async fn a_batch_without_a_readable_record_asks_nobody() {
        let asked = |_, _| async { panic!("nobody is to be asked") };
        assert_eq!(batch(&["[]", "{}"]).all_records(asked).await, ["1", "2"]);
        assert!(batch(&[]).all_records(asked).await.is_empty());
    }

    #[tokio::test]
    async fn only_the_announcements_that_failed_or_cannot_be_read_come_again() {
        let run = Mutex::new(0);
        let failed = batch(&[PRESENCE, RECEIPT, PRESENCE]).each_announcement(|_| {
            let mut run = run.lock().unwrap();
            *run += 1;
            let is_first = *run == 1;
            async move {
                if is_first { Err(Failure::unavailable("dynamodb", "a test")) } else { Ok(()) }
            }
        });
        assert_eq!(failed.await, ["1", "2"]);
    }
}
