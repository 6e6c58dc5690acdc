//! Event source mappings: takes batches from a queue, hands them to the function, and deletes
//! what succeeded. What failed stays in the queue until it becomes visible again.

mod batch;
mod outcome;
mod poller;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::invoke::Invoke;
use crate::model::{EventSource, Model};
use crate::template::Physical;
use crate::usage::Usage;
use poller::Poller;

#[derive(Debug, Clone)]
pub struct Options {
    pub region: String,
    pub account: String,
    /// More batches at once than the function has processes would only wait for one.
    pub max_processes: usize,
    /// Where calls of the queues are counted.
    pub usage: Arc<Usage>,
}

/// All mappings of the template, running.
pub struct EventSources {
    stop: watch::Sender<bool>,
    pollers: JoinSet<()>,
}

impl EventSources {
    /// Needs a tokio runtime.
    pub fn start(
        model: &Model,
        physical: &Physical,
        client: &Client,
        invoke: &Arc<dyn Invoke>,
        options: &Options,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let mut pollers = JoinSet::new();
        for source in &model.event_sources {
            // The template's check has made sure of it.
            let Some(url) = physical.queue_urls.get(&source.queue) else { continue };
            let poller = Poller {
                queue_url: url.clone(),
                queue_arn: arn(options, &source.queue),
                region: options.region.clone(),
                concurrency: concurrency(model, source, options.max_processes),
                source: source.clone(),
                client: client.clone(),
                invoke: Arc::clone(invoke),
                usage: Arc::clone(&options.usage),
            };
            pollers.spawn(Arc::new(poller).run(stopping.clone()));
        }
        Self { stop, pollers }
    }

    /// Takes no more batches and lets those under way finish within `grace`.
    pub async fn stop(mut self, grace: Duration) {
        let _ = self.stop.send(true);
        let all = async { while self.pollers.join_next().await.is_some() {} };
        // Whatever is still running then stays in its queue and comes again.
        let _ = tokio::time::timeout(grace, all).await;
    }
}

fn arn(options: &Options, queue: &str) -> String {
    format!("arn:aws:sqs:{}:{}:{queue}", options.region, options.account)
}

fn concurrency(model: &Model, source: &EventSource, max_processes: usize) -> usize {
    let function = model.functions.get(&source.function);
    let reserved = function.and_then(|function| function.reserved_concurrency);
    let limits = [Some(source.maximum_concurrency), reserved];
    let limits = limits.into_iter().flatten().filter_map(|limit| usize::try_from(limit).ok());
    limits.fold(max_processes, usize::min).max(1)
}
