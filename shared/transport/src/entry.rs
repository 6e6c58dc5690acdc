//! From `main` to a running function: environment, secrets, runtime.

use std::process::ExitCode;

use futures::future::LocalBoxFuture;

use crate::config::Environment;
use crate::connect::Parts;
use crate::telemetry;

/// Serves events until the process ends.
pub(crate) type Serving = LocalBoxFuture<'static, Result<(), lambda_runtime::Error>>;

/// Builds the runtime, the parts and the server, and runs it. A bad configuration fails here, at
/// cold start, and names everything that is missing.
pub(crate) fn run(prepare: impl FnOnce(&Parts) -> Serving) -> ExitCode {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&error),
        };
    runtime.block_on(async {
        let parts = match Parts::load(environment).await {
            Ok(parts) => parts,
            Err(error) => return failed(&error),
        };
        let serving = prepare(&parts);
        if let Err(error) = parts.environment.verdict() {
            return failed(&error);
        }
        match serving.await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&*error),
        }
    })
}

fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    tracing::error!(error = telemetry::chain(error), "the function cannot start");
    ExitCode::FAILURE
}
