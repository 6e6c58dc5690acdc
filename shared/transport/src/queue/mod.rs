//! A queue's batch as workers see it. What failed comes again; that is handled here, once.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use aws::jobs;
use futures::future::{BoxFuture, FutureExt};
use service::PersistJob;
use service::port::{FanOutJob, Receipt};
use tokio::time::Instant;

use crate::connect::Parts;
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

    /// Runs every job at once; one that fails or cannot be read comes again, and after the
    /// queue's redrive count it goes to the dead-letter queue.
    pub async fn each_fan_out<F>(self, run: impl Fn(FanOutJob) -> F) -> Failed
    where
        F: Future<Output = Result<(), service::port::Failure>>,
    {
        let runs = self.jobs.into_iter().map(|job| {
            let decoded = jobs::decode_fan_out(&job.body).map(&run);
            async move {
                let problem = match decoded {
                    Ok(running) => running.await.err().map(|failure| failure.to_string()),
                    Err(unreadable) => Some(unreadable.to_string()),
                };
                let problem = problem?;
                let receive_count = job.receive_count;
                tracing::warn!(error = problem, receive_count, "fan-out job comes again");
                Some(job.receipt.message_id)
            }
        });
        futures::future::join_all(runs).await.into_iter().flatten().collect()
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
        lambda::serve_queue(worker)
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
                            Err(service::port::Failure::unavailable("dynamodb", "a test"))
                        }
                    }
                }
            });
        assert_eq!(failed.await, ["2", "3", "4"]);
        assert_eq!(*run.lock().unwrap(), 2);
    }
}
