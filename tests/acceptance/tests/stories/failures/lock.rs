//! Standing in the way of the workers.

use harness::eventually;
use uuid::Uuid;

use super::{HEALING, Stage};

/// Holds a conversation's row, so that whoever writes to it waits in the middle of a transaction.
pub struct Lock {
    pub transaction: tokio_postgres::Client,
    watch: tokio_postgres::Client,
}

impl Lock {
    pub async fn on(stage: &Stage, conversation: Uuid) -> Self {
        let transaction = stage.database().await;
        let watch = stage.database().await;
        transaction.batch_execute("BEGIN").await.unwrap();
        let take = "SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE";
        transaction.query_one(take, &[&conversation]).await.unwrap();
        Self { transaction, watch }
    }

    /// Waits until so many workers stand behind it.
    pub async fn until_waited_for(&self, workers: i64) {
        let waiting = || async {
            let count = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let count: i64 = self.watch.query_one(count, &[]).await.unwrap().get(0);
            (count >= workers).then_some(())
        };
        let what = format!("{workers} workers wait for the lock");
        eventually(&what, HEALING, waiting).await.unwrap();
    }

    /// Ends the transactions of whoever waits. A worker sends its commit without waiting for an
    /// answer, so its transaction would outlive it.
    pub async fn abort_who_waits(&self) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        assert!(!self.watch.query(end, &[]).await.unwrap().is_empty(), "nobody waits");
    }

    pub async fn release(self) {
        self.transaction.batch_execute("COMMIT").await.unwrap();
    }
}
