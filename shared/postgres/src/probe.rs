//! Health.

use async_trait::async_trait;
use service::port::{Failure, Probe};

use crate::database::Database;

/// Asks the database whether it answers.
pub struct PgProbe {
    database: Database,
}

impl PgProbe {
    /// For this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Probe for PgProbe {
    fn name(&self) -> &'static str {
        "postgres"
    }

    async fn check(&self) -> Result<(), Failure> {
        Ok(self.database.ping().await?)
    }
}
