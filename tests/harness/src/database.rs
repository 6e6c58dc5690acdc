//! Databases of a system's own, and the truth in them.

use std::process::Command;

use tokio_postgres::NoTls;

use crate::environment::binaries_directory;
use crate::{Failure, Result, unique_name};

/// One migrated database.
#[derive(Debug, Clone)]
pub struct Database {
    url: String,
}

impl Database {
    /// A new one beside the database that the superuser's URL names.
    ///
    /// # Errors
    /// No Postgres there, or a migration that fails.
    pub async fn create(superuser_url: &str) -> Result<Self> {
        let name = unique_name("acceptance").replace('-', "_");
        let connection = connect(superuser_url).await?;
        let created = connection.batch_execute(&format!("CREATE DATABASE {name}")).await;
        created.map_err(|e| Failure::cannot("create a database", said(&e)))?;
        let (server, _) = superuser_url.rsplit_once('/').unwrap_or((superuser_url, ""));
        let database = Self { url: format!("{server}/{name}") };
        database.migrate().await?;
        Ok(database)
    }

    async fn migrate(&self) -> Result<()> {
        let mut migrate = Command::new(binaries_directory()?.join("migrate"));
        migrate.env("DATABASE_URL", &self.url);
        let ran = tokio::task::spawn_blocking(move || migrate.output()).await;
        let ran = ran.map_err(|e| Failure::cannot("wait for migrate", e))?;
        let output = ran.map_err(|e| {
            Failure::cannot("run migrate (build it with cargo build --workspace --bins)", e)
        })?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::cannot("migrate", String::from_utf8_lossy(&output.stderr)))
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection of the test's own, to look at the truth or to stand in its way.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn connect(&self) -> Result<tokio_postgres::Client> {
        let client = connect(&self.url).await?;
        // A test may hold a lock for longer than the system's own role may.
        let patient = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
        client.batch_execute(patient).await.map_err(|e| Failure::cannot("be patient", said(&e)))?;
        Ok(client)
    }
}

async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let connected = tokio_postgres::connect(url, NoTls).await;
    let (client, connection) =
        connected.map_err(|e| Failure::cannot("connect to the test's Postgres", said(&e)))?;
    tokio::spawn(connection);
    Ok(client)
}

/// The server's own words, which the error alone keeps to itself.
fn said(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}
