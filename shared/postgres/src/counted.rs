//! The connection as port methods use it: each statement is counted, for the receipt of costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::{Client, Error, Row};

use crate::database::Parameter;

/// Statements that were sent and not told of yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statements(Arc<AtomicU64>);

impl Statements {
    pub(crate) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// The driver's client, with a counter.
pub(crate) struct Counted {
    pub(crate) client: Arc<Client>,
    pub(crate) statements: Statements,
}

impl Counted {
    /// One statement whose parameters have types, so that nothing is prepared by name.
    pub(crate) async fn query_typed(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        self.statements.0.fetch_add(1, Ordering::Relaxed);
        self.client.query_typed(sql, parameters).await
    }

    /// One statement without parameters or rows.
    pub(crate) async fn batch_execute(&self, sql: &str) -> Result<(), Error> {
        self.statements.0.fetch_add(1, Ordering::Relaxed);
        self.client.batch_execute(sql).await
    }
}
