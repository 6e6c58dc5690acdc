//! One event from its arrival to its answer, its log line and its bill.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::pool::{Begun, Job, Pool, milliseconds};
use super::process::Process;
use crate::faults::{FunctionFault, KillPoint};
use crate::invoke::InvokeError;

/// An event waits this long for a free process.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Lambda's limit for a synchronous event.
const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

pub(super) type Answer = Result<Bytes, InvokeError>;

/// The process that an event ran on.
struct RanOn {
    pid: u32,
    is_cold: bool,
}

impl Pool {
    /// Runs to its end even if the caller goes away, as Lambda does: the timeout must hold.
    pub(super) async fn invoke(self: Arc<Self>, event: Bytes) -> Answer {
        if event.len() > MAX_EVENT_BYTES {
            let text = format!("the event has more than {MAX_EVENT_BYTES} bytes");
            return Err(InvokeError::Unavailable(text));
        }
        let kill = match self.spec().faults.function(&self.spec().function.name) {
            Some(FunctionFault::Error) => return Err(InvokeError::Function(fault_error())),
            Some(FunctionFault::Kill(point)) => Some(point),
            None => None,
        };
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move { self.run(event, kill, tell).await });
        told.await.unwrap_or(Err(InvokeError::Crashed))
    }

    async fn run(
        self: Arc<Self>,
        event: Bytes,
        kill: Option<KillPoint>,
        tell: oneshot::Sender<Answer>,
    ) {
        let begin = Instant::now();
        let request_id = new_request_id();
        let (begun, begins) = oneshot::channel();
        let delay = match kill {
            Some(KillPoint::Delay(delay)) => Some(delay),
            _ => None,
        };
        self.submit(Job { request_id: request_id.clone(), event, kill, begun });
        let (ran_on, answer) = match tokio::time::timeout(MAX_WAIT, begins).await {
            Ok(Ok(Ok(begun))) => {
                if let Some(delay) = delay {
                    kill_later(&begun.process, &request_id, delay);
                }
                let ran_on = RanOn { pid: begun.process.pid(), is_cold: begun.is_cold };
                (Some(ran_on), self.work(&request_id, begun).await)
            }
            Ok(Ok(Err(refused))) => (None, Err(refused)),
            Ok(Err(_)) => (None, Err(InvokeError::Crashed)),
            Err(_) => (None, Err(InvokeError::Throttled)),
        };
        let outcome = outcome(&answer);
        // The caller may have gone away; the invocation is logged all the same.
        let _ = tell.send(answer);
        tracing::info!(
            function = %self.spec().function.name,
            request_id,
            duration_ms = milliseconds(begin.elapsed()),
            cold = ran_on.as_ref().is_some_and(|ran_on| ran_on.is_cold),
            memory_kb = ran_on.and_then(|ran_on| super::process::resident_kb(ran_on.pid)),
            outcome,
            "invoked"
        );
    }

    /// From the process's having the event to its answer; that is what AWS bills.
    async fn work(&self, request_id: &str, begun: Begun) -> Answer {
        let started = begun.process.cold_start().filter(|_| begun.is_cold);
        let begin = Instant::now();
        let answer = self.answer(request_id, begun).await;
        let function = &self.spec().function;
        let usage = &self.spec().usage;
        usage.invoked(&function.name, function.memory_mb, begin.elapsed(), started);
        answer
    }

    async fn answer(&self, request_id: &str, begun: Begun) -> Answer {
        let timeout = self.spec().function.timeout;
        match tokio::time::timeout(timeout, begun.answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(InvokeError::Crashed),
            Err(_) => {
                begun.process.give_up(request_id);
                begun.process.kill();
                Err(InvokeError::Timeout(milliseconds(timeout)))
            }
        }
    }
}

fn kill_later(process: &Arc<Process>, request_id: &str, delay: Duration) {
    let (process, request_id) = (Arc::clone(process), request_id.to_owned());
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        if process.works_on(&request_id) {
            process.kill();
        }
    });
}

fn fault_error() -> String {
    json!({ "errorType": "Fault", "errorMessage": "a fault rule says so" }).to_string()
}

fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(InvokeError::Function(_)) => "function_error",
        Err(InvokeError::Timeout(_)) => "timeout",
        Err(InvokeError::Crashed) => "crashed",
        Err(InvokeError::Throttled) => "throttled",
        Err(InvokeError::Unavailable(_)) => "unavailable",
    }
}

#[expect(clippy::disallowed_methods, reason = "the host stands for AWS, which makes these ids")]
fn new_request_id() -> String {
    Uuid::new_v4().to_string()
}
