//! One running Confab: the gateway, the functions' real binaries, a database of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::environment::{aws_endpoint_url, binaries_directory, root_directory, test_database_url};
use crate::http::Api;
use crate::processes::Report;
use crate::{Database, Failure, FunctionStatus, Mailbox, Result, documents, log, unique_name};

/// What the gateway has to create before it is ready: a table, queues, a bucket, secrets.
const START_TIME: Duration = Duration::from_secs(90);

static SHARED: OnceCell<System> = OnceCell::const_new();

/// How a system differs from a started one with nothing said.
#[derive(Debug, Clone)]
pub struct Options {
    /// Of `template.yaml`.
    pub parameters: BTreeMap<String, String>,
    /// A Postgres other than the one of the test run.
    pub superuser_url: Option<String>,
    pub max_processes: u32,
    pub log_level: &'static str,
    /// An answer that the documents do not describe is a failure.
    pub holds_to_documents: bool,
    /// An AWS emulator other than the one of the test run.
    pub aws_endpoint_url: Option<String>,
    /// Faults can be let loose in its gateway; see [`crate::faults`].
    pub allows_faults: bool,
    /// The gateway's limits of time pass so many times faster: idle sockets, two hours, schedules.
    pub clock_rate: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            superuser_url: None,
            max_processes: 3,
            log_level: "info",
            holds_to_documents: true,
            aws_endpoint_url: None,
            allows_faults: false,
            clock_rate: 1,
        }
    }
}

impl Options {
    /// Nobody is slowed down by how often something may be done.
    pub fn without_rate_limit() -> Self {
        let lifted = [
            "MessagesPerSecond",
            "MessagesBurst",
            "LoginsPerMinute",
            "RegistrationsPerHour",
            "MailsPerHour",
            "TicketsPerMinute",
            "InvitesPerHour",
            "ConversationsPerHour",
            "ContactRequestsPerHour",
        ];
        lifted.into_iter().fold(Self::default(), |options, name| options.with(name, "100000"))
    }

    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.parameters.insert(parameter.to_owned(), value.to_owned());
        self
    }

    pub fn with_faults(mut self) -> Self {
        self.allows_faults = true;
        self
    }

    pub fn with_clock_rate(mut self, clock_rate: u32) -> Self {
        self.clock_rate = clock_rate;
        self
    }

    pub fn on_postgres(mut self, superuser_url: &str) -> Self {
        self.superuser_url = Some(superuser_url.to_owned());
        self
    }
}

/// Ends with the value, and at the latest with this process: its standard input closes then.
#[derive(Debug)]
pub struct System {
    stack: String,
    http_url: String,
    socket_url: String,
    database: Database,
    aws_endpoint_url: String,
    log: PathBuf,
    gateway: Child,
    stdin: Option<ChildStdin>,
}

impl System {
    /// The one that all tests share that do not disturb it. It has no rate limit.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn shared() -> Result<&'static Self> {
        SHARED.get_or_try_init(|| Self::start(Options::without_rate_limit())).await
    }

    /// # Errors
    /// Something is missing, or does not start; the error says what, with the end of the log.
    pub async fn start(options: Options) -> Result<Self> {
        if options.holds_to_documents {
            documents::hold_to_documents()?;
        }
        let superuser = options.superuser_url.clone().map_or_else(test_database_url, Ok)?;
        let database = Database::create(&superuser).await?;
        // The gateway lets faults loose only in a stack whose name begins so.
        let stack = unique_name("test");
        let (log, stderr) = log::create(&stack)?;
        let mut command = gateway(&options, &stack, &database)?;
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn();
        let mut gateway = spawned.map_err(|e| {
            Failure::cannot("start the gateway (build it with cargo build --workspace --bins)", e)
        })?;
        let stdin = gateway.stdin.take();
        let ready = ready_line(&mut gateway).await;
        let ready = ready.map_err(|failure| {
            let _ = gateway.kill();
            Failure::new(format!("{failure}\n{}", log::tail(&log)))
        })?;
        let [_, http_url, socket_url] = ready.as_slice() else {
            return Err(Failure::new(format!("a strange ready line: {ready:?}")));
        };
        Ok(Self {
            http_url: http_url.clone(),
            socket_url: socket_url.clone(),
            stack,
            database,
            aws_endpoint_url: options.aws_endpoint_url.map_or_else(aws_endpoint_url, Ok)?,
            log,
            gateway,
            stdin,
        })
    }

    /// The prefix of its table, queues and secrets.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    pub fn http_url(&self) -> &str {
        &self.http_url
    }

    pub fn socket_url(&self) -> &str {
        &self.socket_url
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Of the emulator.
    /// The mails that this system sent, among those of the others on its emulator.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn mailbox(&self) -> Result<Mailbox> {
        Mailbox::of(&self.aws_endpoint_url)
    }

    pub fn aws_endpoint_url(&self) -> &str {
        &self.aws_endpoint_url
    }

    /// An HTTP API with connections of its own, because a test's runtime ends with the test.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn api(&self) -> Result<Api> {
        Api::new(&self.http_url)
    }

    /// # Errors
    /// The gateway does not answer.
    pub async fn functions(&self) -> Result<BTreeMap<String, FunctionStatus>> {
        functions_of(&self.api()?).await
    }
}

impl Drop for System {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.gateway.wait();
        if !std::thread::panicking() {
            log::forget(&self.log);
        }
    }
}

/// The functions' processes of any running system.
///
/// # Errors
/// The gateway does not answer.
pub async fn functions_of(api: &Api) -> Result<BTreeMap<String, FunctionStatus>> {
    let report: Report = api.get("/_gateway/functions").await?.expect(200)?;
    Ok(report.functions)
}

fn gateway(options: &Options, stack: &str, database: &Database) -> Result<Command> {
    let binaries = binaries_directory()?;
    let mut command = Command::new(binaries.join("gateway"));
    command.arg("--template").arg(root_directory().join("template.yaml"));
    command.arg("--binaries").arg(binaries);
    command.args(["--port", "0", "--exit-with-stdin", "--stack", stack]);
    command.args(["--max-processes", &options.max_processes.to_string()]);
    if options.allows_faults {
        command.arg("--faults");
    }
    if options.clock_rate != 1 {
        command.args(["--clock-rate", &options.clock_rate.to_string()]);
    }
    for (name, value) in &options.parameters {
        command.args(["--parameter", &format!("{name}={value}")]);
    }
    command.env("DATABASE_URL", database.url());
    let endpoint = options.aws_endpoint_url.clone().map_or_else(aws_endpoint_url, Ok)?;
    command.env("AWS_ENDPOINT_URL", endpoint);
    command.env("LOG_LEVEL", options.log_level).env("RUST_BACKTRACE", "1");
    Ok(command)
}

/// `ready <http> <ws>`, as words.
async fn ready_line(gateway: &mut Child) -> Result<Vec<String>> {
    let stdout = gateway.stdout.take().ok_or_else(|| Failure::new("the gateway has no output"))?;
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
            // Read to the end even when nobody waits any more, so that the gateway never blocks.
            let _ = tell.send(line);
        }
    });
    let waited = tokio::task::spawn_blocking(move || {
        loop {
            match told.recv_timeout(START_TIME) {
                Ok(line) if line.starts_with("ready ") => return Ok(line),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Failure::new(format!(
                        "the gateway is not ready in {START_TIME:?}"
                    )));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::new("the gateway ended before it was ready"));
                }
            }
        }
    });
    let line = waited.await.map_err(|e| Failure::cannot("wait for the gateway", e))??;
    Ok(line.split_whitespace().map(str::to_owned).collect())
}
