//! JSON log lines on stdout: level, time, message, and the fields of the spans around it
//! (`service`; `request_id`, `connection_id`, `conversation_id`). Never bodies, tokens or tickets.

use tracing::Level;
use tracing_subscriber::EnvFilter;

use crate::config::{Environment, name};

/// The crates of ours that log.
const OURS: [&str; 4] = ["transport", "service", "postgres", "aws"];

/// A level is one for our own crates. Libraries say what goes wrong and no more: at `debug` the
/// AWS SDK would print whole requests. What is no level counts as `info`.
fn directives(level: &str) -> String {
    let level: Level = level.parse().unwrap_or(Level::INFO);
    let libraries = level.min(Level::WARN);
    let ours = OURS.map(|name| format!("{name}={level},")).concat();
    // Names are compared by how they begin.
    format!("{libraries},{ours}aws_={libraries}").to_lowercase()
}

/// Once a process.
pub(crate) fn start(environment: &Environment) {
    let level = environment.optional(name::LOG_LEVEL).unwrap_or_default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false)
        .with_env_filter(EnvFilter::new(directives(level)));
    // A second start in one process (several entries in one test) keeps the first subscriber.
    let _ = subscriber.try_init();
}

/// The whole chain of an error, for the one log line at the edge.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a line of this crate at this level is written.
    fn writes(level: &str, check: impl FnOnce() -> bool) -> bool {
        let subscriber =
            tracing_subscriber::fmt().with_env_filter(EnvFilter::new(directives(level)));
        tracing::subscriber::with_default(subscriber.finish(), check)
    }

    #[test]
    fn no_level_makes_the_sdk_print_requests() {
        for level in ["error", "info", "debug", "trace", "aws_smithy_runtime=trace", ""] {
            assert!(!writes(level, || {
                tracing::enabled!(target: "aws_smithy_runtime::client", Level::DEBUG)
            }));
            assert!(!writes(level, || tracing::enabled!(target: "hyper_util", Level::INFO)));
        }
    }

    #[test]
    fn a_level_is_one_for_our_own_crates() {
        let debug = || tracing::enabled!(target: "aws::queues", Level::DEBUG);
        assert!(writes("debug", debug) && !writes("info", debug) && !writes("chatty", debug));
        let info = || tracing::enabled!(target: "service::archive", Level::INFO);
        assert!(writes("info", info) && writes("chatty", info) && !writes("warn", info));
        let warn = || tracing::enabled!(target: "lambda_runtime", Level::WARN);
        assert!(writes("debug", warn) && !writes("error", warn));
    }
}
