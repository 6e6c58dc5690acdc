//! Bringing a database's tables up to date.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use crate::config::DatabaseConfig;
use crate::database::Database;
use crate::error::DatabaseError;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Two programs that migrate at once wait for each other. Any number; only its equality counts.
const MIGRATION_LOCK: i64 = 0x636f_6e66_6162;

/// One migration that was applied now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub version: i64,
    pub name: String,
}

/// Why the tables are not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("the database cannot be used")]
    Database(#[from] DatabaseError),
    #[error("the database encodes text as {0}; it must be created with ENCODING 'UTF8'")]
    Encoding(String),
    #[error("a migration failed, and what it did was rolled back")]
    Migration(#[source] Box<refinery::Error>),
}

/// Applies the migrations that are missing, each in a transaction of its own.
pub async fn migrate(config: &DatabaseConfig) -> Result<Vec<Applied>, MigrateError> {
    let mut client = Database::new(config.clone()).connect().await?;
    let encoding = first_text(&client, "SHOW server_encoding").await?;
    if encoding != "UTF8" {
        return Err(MigrateError::Encoding(encoding));
    }
    // A migration may take longer than a statement of the application may. The lock ends with
    // the connection.
    let prepare = format!("SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK})");
    client.batch_execute(&prepare).await.map_err(DatabaseError::from)?;
    let report = embedded::migrations::runner()
        .run_async(&mut client)
        .await
        .map_err(|error| MigrateError::Migration(Box::new(error)))?;
    let applied = |migration: &refinery::Migration| Applied {
        version: i64::from(migration.version()),
        name: migration.name().to_owned(),
    };
    Ok(report.applied_migrations().iter().map(applied).collect())
}

/// Postgres refuses two who write one setting at once, so they wait for each other.
const ROLE_TIMEOUTS: &str = "DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('role timeouts', 0));
    EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET statement_timeout = %L',
        current_database(), '10s');
    EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I
        SET idle_in_transaction_session_timeout = %L', current_database(), '10s');
END $$";

/// Bounds every later session of this role in this database: no statement and no idle transaction
/// longer than 10 s. `GET /sync` counts on it, and a setting of the role does not tie a pooler's
/// session to a process, as `SET` would.
pub async fn bound_role_timeouts(config: &DatabaseConfig) -> Result<(), MigrateError> {
    let client = Database::new(config.clone()).connect().await?;
    Ok(client.batch_execute(ROLE_TIMEOUTS).await.map_err(DatabaseError::from)?)
}

/// Waits until the database lets us in; `progress` is told why it does not, once a second. A user
/// or a password that is wrong ends the wait.
pub async fn wait_until_ready(
    config: &DatabaseConfig,
    patience: Duration,
    mut progress: impl FnMut(&DatabaseError),
) -> Result<(), MigrateError> {
    let database = Database::new(config.clone());
    let began = Instant::now();
    loop {
        match database.connect().await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_not_let_in() || began.elapsed() >= patience => {
                return Err(error.into());
            }
            Err(error) => progress(&error),
        }
        sleep(Duration::from_secs(1)).await;
    }
}

async fn first_text(client: &Client, sql: &str) -> Result<String, DatabaseError> {
    let rows = client.query_typed(sql, &[]).await?;
    let row = rows.first().ok_or_else(|| DatabaseError::unreadable(sql))?;
    Ok(row.try_get(0)?)
}
