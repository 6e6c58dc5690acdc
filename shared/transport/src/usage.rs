//! What an invocation used of what is paid for: one line for `scripts/cost` to read.

use postgres::Database;
use tracing::Level;

/// The counters of this process.
#[derive(Clone)]
pub(crate) struct Meter {
    pub(crate) aws: aws::Usage,
    pub(crate) database: Option<Database>,
}

impl Meter {
    /// Tells at debug level what was counted since the last time. To be called at the end of an
    /// invocation and within its span.
    pub(crate) fn tell(&self) {
        if !tracing::enabled!(Level::DEBUG) {
            return;
        }
        let mut counters = self.aws.take();
        if let Some(database) = &self.database {
            counters.insert("sql.statements", database.take_statements());
        }
        counters.retain(|_, count| *count > 0);
        // A field of a log line is a text; names and numbers always serialise.
        let usage = serde_json::to_string(&counters).unwrap_or_default();
        tracing::debug!(usage, "usage");
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, some: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(some);
            Ok(some.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: Level) -> String {
        let log = Log::default();
        let written = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(level)
            .with_writer(move || written.clone());
        tracing::subscriber::with_default(subscriber.finish(), || {
            let span = tracing::info_span!("queue", request_id = "r-1");
            span.in_scope(|| Meter { aws: aws::Usage::default(), database: None }.tell());
        });
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// As the local gateway and `scripts/cost` read it.
    #[test]
    fn an_invocation_ends_with_a_line_that_tells_what_it_used_and_in_which_request() {
        let line: serde_json::Value = serde_json::from_str(&logged(Level::DEBUG)).unwrap();
        assert_eq!(line["message"], "usage");
        assert_eq!(line["span"]["request_id"], "r-1");
        let counters: serde_json::Value =
            serde_json::from_str(line["usage"].as_str().unwrap()).unwrap();
        assert!(counters.is_object(), "{counters}");
    }

    #[test]
    fn nothing_is_told_where_nobody_asked_for_it() {
        assert_eq!(logged(Level::INFO), "");
    }
}
