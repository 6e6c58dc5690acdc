//! JSON log lines on stdout: level, time, message, and the fields of the spans around it
//! (`service`; `request_id`, `connection_id`, `conversation_id`). Never bodies, tokens or tickets.

use tracing_subscriber::EnvFilter;

use crate::config::{Environment, name};

/// Once a process. An unreadable `LOG_LEVEL` falls back to `info`.
pub(crate) fn start(environment: &Environment) {
    let level = environment.optional(name::LOG_LEVEL).unwrap_or("info");
    let filter = EnvFilter::try_new(format!("{level},lambda_runtime=warn,lambda_http=warn"))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false)
        .with_env_filter(filter);
    // A second start in one process (several entries in one test) keeps the first subscriber.
    let _ = subscriber.try_init();
}

/// The whole chain of an error, for the one log line at the edge.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
