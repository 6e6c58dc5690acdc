//! From `main` to a running function: environment, secrets, runtime.

use std::process::ExitCode;

use futures::future::LocalBoxFuture;
use tracing::Instrument;

use crate::config::Environment;
use crate::connect::Parts;
use crate::telemetry;

/// Serves events until the process ends.
pub(crate) type Serving = LocalBoxFuture<'static, Result<(), lambda_runtime::Error>>;

/// The function's name, `send-message`: that of its handler, which is its file's and its
/// binary's name too.
pub(crate) fn service_name<H>() -> String {
    let path = std::any::type_name::<H>();
    path.rsplit("::").next().unwrap_or(path).replace('_', "-")
}

/// Builds the runtime, the parts and the server, and runs it. A bad configuration fails here, at
/// cold start, and names everything that is missing. Every log line carries the `service`.
pub(crate) fn run(service: String, prepare: impl FnOnce(&Parts) -> Serving) -> ExitCode {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let span = tracing::info_span!("function", service);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // An invocation hashes at most one password; each further thread would keep 19 MiB.
        .max_blocking_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return span.in_scope(|| failed(&error)),
    };
    runtime.block_on(serve(environment, prepare).instrument(span))
}

async fn serve(environment: Environment, prepare: impl FnOnce(&Parts) -> Serving) -> ExitCode {
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
}

fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    tracing::error!(error = telemetry::chain(error), "the function cannot start");
    ExitCode::FAILURE
}
