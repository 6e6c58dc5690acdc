//! The Lambda host: it starts each function's real binary on its first event and speaks the
//! Lambda Runtime API with it. One process serves one event at a time, as on AWS; under load a
//! function has several processes.

mod invocation;
mod lines;
mod pool;
mod process;
mod runtime_api;
mod starter;
mod supervisor;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::invoke::{Invoke, InvokeError};
use crate::model::Function;
use crate::usage::Usage;
use pool::{Pool, Spec};
use starter::Starter;

/// How often a shutdown looks whether everything has ended.
const SHUTDOWN_POLL: Duration = Duration::from_millis(5);

/// How long processes get to end after they were asked to.
const END_LIMIT: Duration = Duration::from_secs(3);

#[derive(Debug, Clone)]
pub struct Options {
    /// The directory with one binary per function.
    pub binaries: PathBuf,
    /// The most processes of one function.
    pub max_processes: usize,
    /// A process without work ends after this time.
    pub idle_limit: Duration,
    /// What every process gets beside the template's environment, `PATH` among it.
    pub environment: BTreeMap<String, String>,
    pub region: String,
    pub account: String,
    /// Where invocations, and the usage that functions print, are counted.
    pub usage: Arc<Usage>,
    /// What goes wrong on purpose.
    pub faults: Arc<Faults>,
}

/// All functions of the template, each with its processes.
pub struct Host {
    pools: BTreeMap<String, Arc<Pool>>,
}

impl Host {
    /// Starts nothing yet but the thread that will start processes. Needs a tokio runtime.
    pub fn start(functions: &BTreeMap<String, Function>, options: &Options) -> io::Result<Self> {
        let path = options.environment.get("PATH").map_or("", String::as_str);
        let starter = Starter::start(path)?;
        let pools = functions
            .iter()
            .map(|(name, function)| {
                let spec = spec(function, options);
                (name.clone(), Arc::new(Pool::new(spec, starter.clone())))
            })
            .collect();
        Ok(Self { pools })
    }

    /// The functions whose binary does not exist yet.
    pub fn missing_binaries(&self) -> Vec<String> {
        let missing = self.pools.values().filter(|pool| !pool.spec().binary.is_file());
        missing.map(|pool| pool.spec().function.name.clone()).collect()
    }

    /// Takes no new events, lets those in flight finish within `grace`, then ends every process.
    pub async fn shutdown(&self, grace: Duration) {
        self.pools.values().for_each(|pool| pool.close());
        wait_until(grace, || self.pools.values().all(|pool| pool.is_at_rest())).await;
        self.pools.values().for_each(|pool| pool.end_all());
        wait_until(END_LIMIT, || self.pools.values().all(|pool| pool.is_empty())).await;
    }
}

async fn wait_until(limit: Duration, is_true: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_true() && begin.elapsed() < limit {
        tokio::time::sleep(SHUTDOWN_POLL).await;
    }
}

fn spec(function: &Function, options: &Options) -> Spec {
    let reserved = function.reserved_concurrency.and_then(|limit| usize::try_from(limit).ok());
    let max_processes = options.max_processes.min(reserved.unwrap_or(usize::MAX));
    let Options { region, account, .. } = options;
    Spec {
        binary: options.binaries.join(&function.name),
        arn: format!("arn:aws:lambda:{region}:{account}:function:{}", function.name),
        environment: process_environment(function, options),
        max_processes,
        idle_limit: options.idle_limit,
        usage: Arc::clone(&options.usage),
        faults: Arc::clone(&options.faults),
        function: function.clone(),
    }
}

/// The template's environment, the host's additions and Lambda's own variables; nothing else.
fn process_environment(function: &Function, options: &Options) -> BTreeMap<String, String> {
    let name = &function.name;
    let lambda = [
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
    ];
    let mut environment = function.environment.clone();
    environment.extend(options.environment.clone());
    environment.extend(lambda.map(|(key, value)| (key.to_owned(), value)));
    environment
}

#[async_trait]
impl Invoke for Host {
    async fn invoke(&self, function: &str, event: Bytes) -> Result<Bytes, InvokeError> {
        let Some(pool) = self.pools.get(function) else {
            return Err(InvokeError::Unavailable(format!("there is no function {function}")));
        };
        Arc::clone(pool).invoke(event).await
    }

    fn status(&self) -> Value {
        let functions = self.pools.iter().map(|(name, pool)| (name.clone(), pool.status()));
        json!({ "functions": Value::Object(functions.collect()) })
    }
}
