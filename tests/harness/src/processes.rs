//! The functions' processes, as the gateway tells of them at `/_gateway/functions`.

use std::collections::BTreeMap;

use rustix::process::{Pid, Signal};
use serde::Deserialize;

use crate::{Failure, Result};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Report {
    pub functions: BTreeMap<String, FunctionStatus>,
}

/// One function.
#[derive(Debug, Clone, Deserialize)]
pub struct FunctionStatus {
    pub processes: Vec<ProcessStatus>,
    pub waiting: usize,
    pub invocations: u64,
    pub cold_starts: u64,
    pub last_cold_start_ms: Option<u64>,
}

/// One process of a function.
#[derive(Debug, Clone, Deserialize)]
pub struct ProcessStatus {
    pub pid: i32,
    pub busy: bool,
    pub cold_start_ms: Option<u64>,
    pub rss_kb: Option<u64>,
}

/// SIGKILL: no last words, as when a machine dies.
///
/// # Errors
/// There is no such process any more.
pub fn kill_process(pid: i32) -> Result<()> {
    let process = Pid::from_raw(pid).ok_or_else(|| Failure::new("a process id is positive"))?;
    rustix::process::kill_process(process, Signal::KILL)
        .map_err(|e| Failure::cannot(format!("kill process {pid}"), e))
}
