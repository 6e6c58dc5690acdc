//! The one connection of a process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio::time::{Instant, timeout};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Client, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::DatabaseConfig;
use crate::counted::{Counted, Statements};
use crate::error::DatabaseError;

/// A server that takes longer to let us in is as good as down; the caller has to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// More than the server's own statement timeout of 10 s: only a dead network gets here.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(12);
/// One invocation at a time uses a process, so a queue for the connection is rare and short.
const LEASE_TIMEOUT: Duration = Duration::from_secs(5);
/// A process sleeps between invocations and does not see its connection die; after this long it
/// asks before it trusts.
const TRUSTED_IDLE: Duration = Duration::from_secs(10);
/// Asking a live connection takes a round trip; a dead one never answers.
const ALIVE_TIMEOUT: Duration = Duration::from_millis(500);
/// RDS has authorities of its own, which no system trusts by itself. `scripts/deploy` puts them
/// into every function's package, and Lambda unpacks a package here.
const PACKAGED_AUTHORITIES: &str = "/var/task/database-authorities.pem";

/// A parameter and its type. With types given, no statement is prepared by name, which would tie
/// the session of a connection pooler to this process.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// One database over one connection, opened when it is first needed and again when it was lost.
/// Clones share it.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    config: DatabaseConfig,
    tls: OnceCell<MakeRustlsConnect>,
    slot: Mutex<Option<Open>>,
    statements: Statements,
}

struct Open {
    client: Arc<Client>,
    used_at: Instant,
}

impl Database {
    /// Connects to nothing yet.
    pub fn new(config: DatabaseConfig) -> Self {
        let (tls, slot, statements) = Default::default();
        Self { shared: Arc::new(Shared { config, tls, slot, statements }) }
    }

    /// How many statements were sent since this was asked the last time.
    pub fn take_statements(&self) -> u64 {
        self.shared.statements.take()
    }

    /// The connection for oneself, for one port method.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, DatabaseError> {
        let busy = |_| DatabaseError::transient("the connection was busy for too long");
        let mut slot = timeout(LEASE_TIMEOUT, self.shared.slot.lock()).await.map_err(busy)?;
        let trusted = match slot.take() {
            Some(open) if is_alive(&open).await => Some(open.client),
            _ => None,
        };
        let client = match trusted {
            Some(client) => client,
            None => Arc::new(self.connect().await?),
        };
        *slot = Some(Open { client: client.clone(), used_at: Instant::now() });
        Ok(Lease { database: self, slot, client, state: State::Settled })
    }

    /// A connection by itself, for the migration program.
    pub(crate) async fn connect(&self) -> Result<Client, DatabaseError> {
        let late = |_| DatabaseError::transient("no connection within 3 s");
        timeout(CONNECT_TIMEOUT, self.dial()).await.map_err(late)?
    }

    async fn dial(&self) -> Result<Client, DatabaseError> {
        let config = driver_config(&self.shared.config);
        let unreachable = |error| DatabaseError::unreachable(&error);
        if !self.shared.config.ssl {
            let (client, connection) = config.connect(NoTls).await.map_err(unreachable)?;
            tokio::spawn(drive(connection));
            return Ok(client);
        }
        let tls = self.shared.tls.get_or_try_init(async || connector()).await?;
        let (client, connection) = config.connect(tls.clone()).await.map_err(unreachable)?;
        tokio::spawn(drive(connection));
        Ok(client)
    }

    /// Asks the server to give up what a dropped lease was waiting for; the answer is lost anyway.
    fn cancel(&self, token: CancelToken) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let tls = self.shared.tls.get().cloned();
        runtime.spawn(async move {
            let cancelled = async {
                match tls {
                    Some(tls) => token.cancel_query(tls).await,
                    None => token.cancel_query(NoTls).await,
                }
            };
            if !matches!(timeout(CONNECT_TIMEOUT, cancelled).await, Ok(Ok(()))) {
                tracing::debug!("a statement could not be cancelled; its own timeout will end it");
            }
        });
    }
}

async fn is_alive(open: &Open) -> bool {
    if open.client.is_closed() {
        return false;
    }
    if open.used_at.elapsed() < TRUSTED_IDLE {
        return true;
    }
    matches!(timeout(ALIVE_TIMEOUT, open.client.check_connection()).await, Ok(Ok(())))
}

fn driver_config(config: &DatabaseConfig) -> tokio_postgres::Config {
    let mut driver = tokio_postgres::Config::new();
    driver
        .host(&config.host)
        .port(config.port)
        .user(&config.username)
        .password(&config.password)
        .dbname(&config.dbname)
        .application_name("confab")
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_user_timeout(ANSWER_TIMEOUT)
        .keepalives_idle(Duration::from_secs(30));
    driver.ssl_mode(if config.ssl {
        tokio_postgres::config::SslMode::Require
    } else {
        tokio_postgres::config::SslMode::Disable
    });
    driver
}

fn connector() -> Result<MakeRustlsConnect, DatabaseError> {
    let roots = authorities(Path::new(PACKAGED_AUTHORITIES))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| DatabaseError::transient(format!("no TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Those of the system, or of the file that `SSL_CERT_FILE` names, and those of the package.
fn authorities(packaged: &Path) -> Result<RootCertStore, DatabaseError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if packaged.exists() {
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(packaged).and_then(Iterator::collect);
        let unreadable =
            |error| DatabaseError::transient(format!("{PACKAGED_AUTHORITIES}: {error}"));
        roots.add_parsable_certificates(certificates.map_err(unreadable)?);
    }
    if roots.is_empty() {
        return Err(DatabaseError::transient("this system has no certificate authorities"));
    }
    Ok(roots)
}

async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::info!(error = %DatabaseError::from(error), "the database connection ended");
    }
}

/// The connection while one port method has it. Dropped before its answer came, or inside a
/// transaction, it closes the connection: the next one must not find what this one left.
pub(crate) struct Lease<'a> {
    database: &'a Database,
    slot: MutexGuard<'a, Option<Open>>,
    client: Arc<Client>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is under way and no transaction is open.
    Settled,
    /// An answer is awaited, or a transaction is open.
    UnderWay,
    /// The connection is not to be trusted any more.
    Lost,
}

impl Lease<'_> {
    /// For statements that are to be sent at once: join their futures and pass them to
    /// [`Self::settle`] or [`Self::step`].
    pub(crate) fn client(&self) -> Counted {
        let statements = self.database.shared.statements.clone();
        Counted { client: self.client.clone(), statements }
    }

    /// Waits for statements that leave no transaction open, however they end.
    pub(crate) async fn settle<T>(
        &mut self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DatabaseError> {
        let answer = self.step(work).await;
        let is_sound = answer.as_ref().map_or_else(|error| !error.is_transient(), |_| true);
        if is_sound {
            self.state = State::Settled;
        }
        answer
    }

    /// Waits for statements that leave a transaction open.
    pub(crate) async fn step<T>(
        &mut self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DatabaseError> {
        self.state = State::UnderWay;
        let Ok(answer) = timeout(ANSWER_TIMEOUT, work).await else {
            return Err(DatabaseError::transient("no answer within 12 s"));
        };
        let answer = answer.map_err(DatabaseError::from);
        // A server that goes away says so before the connection closes.
        if answer.as_ref().is_err_and(DatabaseError::is_transient) {
            self.state = State::Lost;
        }
        answer
    }

    /// One statement, a transaction by itself.
    pub(crate) async fn query(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        let client = self.client();
        self.settle(client.query_typed(sql, parameters)).await
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        match (self.state, self.slot.as_mut()) {
            (State::Settled, Some(open)) => open.used_at = Instant::now(),
            (state, _) => {
                *self.slot = None;
                if state == State::UnderWay {
                    self.database.cancel(self.client.cancel_token());
                }
            }
        }
    }
}

impl Database {
    /// One statement, a transaction by itself.
    pub(crate) async fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        self.lease().await?.query(sql, parameters).await
    }

    /// One statement that answers at most one row.
    pub(crate) async fn query_opt(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Option<Row>, DatabaseError> {
        let rows = self.query(sql, parameters).await?;
        Ok(rows.into_iter().next())
    }

    /// Two statements in a transaction, sent at once. The first takes a lock; the second sees what
    /// was committed while the first waited for it.
    pub(crate) async fn locked(
        &self,
        (lock, lock_parameters): (&str, &[Parameter<'_>]),
        (sql, parameters): (&str, &[Parameter<'_>]),
    ) -> Result<Vec<Row>, DatabaseError> {
        let mut lease = self.lease().await?;
        let client = lease.client();
        let pipeline = async {
            let (begun, locked, written, committed) = tokio::join!(
                client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
                client.query_typed(lock, lock_parameters),
                client.query_typed(sql, parameters),
                client.batch_execute("COMMIT"),
            );
            begun?;
            locked?;
            let rows = written?;
            committed?;
            Ok(rows)
        };
        lease.settle(pipeline).await
    }

    /// `SELECT 1`.
    pub(crate) async fn ping(&self) -> Result<(), DatabaseError> {
        self.query("SELECT 1", &[]).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
    }

    #[test]
    fn authorities_of_the_package_are_trusted_beside_those_of_the_system() {
        let of_system = authorities(&fixture("absent.pem")).map_or(0, |roots| roots.len());
        let both = authorities(&fixture("authority.pem")).unwrap();
        assert_eq!(both.len(), of_system + 1);
    }
}
