//! How the tools here run: until they are done or somebody presses Ctrl-C.

use std::future::Future;
use std::process::ExitCode;

use crate::{Failure, Result};

/// Runs it to its end; `false` is an end that is no success. Stopped, it is dropped, and with it
/// whatever it started.
pub fn run(name: &str, work: impl Future<Output = Result<bool>>) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::cannot("start", e));
    let stoppable = async {
        tokio::select! {
            // First, so that it listens before the run does anything.
            biased;
            _ = tokio::signal::ctrl_c() => Err(Failure::new("stopped")),
            ended = work => ended,
        }
    };
    match runtime.and_then(|runtime| runtime.block_on(stoppable)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{name}: {failure}");
            ExitCode::FAILURE
        }
    }
}
