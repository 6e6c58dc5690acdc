//! Starts the real gateway on the fixture template and the emulator.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at a surprise"
)]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::config::Credentials;
use serde_json::Value;

pub const DATABASE_URL: &str = "postgres://user:password@127.0.0.1:5432/chat";
const PATIENCE: Duration = Duration::from_secs(30);

/// The emulator's address, which `scripts/test` sets.
#[allow(clippy::disallowed_methods, reason = "the one way a test learns where the emulator is")]
pub fn emulator() -> String {
    std::env::var("AWS_ENDPOINT_URL")
        .expect("AWS_ENDPOINT_URL is not set: run scripts/test, or start the emulator and set it")
}

/// A stack of its own for each test, so that tests do not meet in the emulator.
pub fn fresh_stack() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(name)
}

/// The command with everything but what a test wants to vary.
pub fn command(stack: &str, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command
        .args(["--port", "0", "--stack", stack, "--database-url", DATABASE_URL])
        .arg("--template")
        .arg(fixture("template.yaml"))
        .arg("--binaries")
        .arg(fixture("functions"))
        .args(more);
    command
}

/// A running gateway; it ends with this value, because its standard input closes.
pub struct Gateway {
    pub stack: String,
    pub url: String,
    pub socket_url: String,
    pub child: Child,
    stdin: Option<ChildStdin>,
    record: PathBuf,
}

impl Gateway {
    pub fn start(stack: &str, more: &[&str]) -> Self {
        Self::start_on(stack, &emulator(), more)
    }

    pub fn start_on(stack: &str, emulator: &str, more: &[&str]) -> Self {
        let record = std::env::temp_dir().join(format!("{stack}.record"));
        let parameter = format!("RecordFile={}", record.display());
        let mut child = command(stack, more)
            .args(["--exit-with-stdin", "--parameter", &parameter])
            .args(["--aws-endpoint-url", emulator])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["ready", url, socket_url] = words[..] else { panic!("not ready: {line:?}") };
        Self {
            stack: stack.to_owned(),
            url: url.to_owned(),
            socket_url: socket_url.to_owned(),
            stdin: child.stdin.take(),
            child,
            record,
        }
    }

    /// Ends it as a test harness does, and waits.
    pub fn stop(mut self) -> ExitStatus {
        drop(self.stdin.take());
        self.wait()
    }

    pub fn wait(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "the gateway does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// What the function has noted of its batches: one object a message.
    pub fn record(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.record).unwrap_or_default();
        // The last line may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    pub fn bodies(&self) -> Vec<String> {
        self.record().iter().map(|entry| entry["body"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = std::fs::remove_file(&self.record);
        if !std::thread::panicking() {
            self.wait();
        }
    }
}

/// Runs it to its end: exit status, standard output, standard error.
pub fn run(stack: &str, emulator: &str, more: &[&str]) -> (ExitStatus, String, String) {
    let mut child = command(stack, more)
        .args(["--aws-endpoint-url", emulator])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (child.wait().unwrap(), output, errors)
}

pub async fn sdk() -> aws_config::SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(emulator())
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await
}

pub fn is_running(pid: u64) -> bool {
    // A process that nobody has waited for yet is not running any more either.
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

pub async fn eventually(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !is_true().await {
        assert!(begin.elapsed() < PATIENCE, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
