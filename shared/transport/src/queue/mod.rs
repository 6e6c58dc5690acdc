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
