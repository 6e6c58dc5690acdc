//! Work that a clock starts.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use service::port::Failure;

use crate::connect::Parts;
use crate::{entry, lambda};

pub(crate) type Task = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Serves a schedule. A failure is logged and counts as an error of the function; the next turn
/// tries again.
pub fn run<S, W, F>(connect: fn(&Parts) -> S, work: W) -> ExitCode
where
    S: Clone + Send + Sync + 'static,
    W: Fn(S) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    entry::run(entry::service_name::<W>(), move |parts| {
        let service = connect(parts);
        let task: Task = Arc::new(move || work(service.clone()).boxed());
        lambda::serve_schedule(task, parts.meter())
    })
}
