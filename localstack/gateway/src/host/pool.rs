//! One function: the events that wait, and the processes that take them.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::invocation::Answer;
use super::process::{Delivery, Process};
use super::starter::Starter;
use super::supervisor;
use crate::faults::{Faults, KillPoint};
use crate::invoke::InvokeError;
use crate::model::Function;
use crate::usage::Usage;

/// More waiting events than this are refused, as AWS throttles.
const MAX_WAITING: usize = 500;

/// A process that has just answered asks for work again at once; it is given this long before a
/// further process is started for an event that came in between.
const RETURN_TIME: Duration = Duration::from_millis(20);

/// What a process of the function is started with.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) function: Function,
    pub(super) binary: PathBuf,
    pub(super) arn: String,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) max_processes: usize,
    pub(super) idle_limit: Duration,
    pub(super) usage: Arc<Usage>,
    pub(super) faults: Arc<Faults>,
}

/// An event that waits for a process.
pub(super) struct Job {
    pub(super) request_id: String,
    pub(super) event: Bytes,
    /// A rule of `--faults` wants its process to die.
    pub(super) kill: Option<KillPoint>,
    pub(super) begun: oneshot::Sender<Result<Begun, InvokeError>>,
}

/// A process has the event; its answer, or the process's end, comes through `answer`.
pub(super) struct Begun {
    pub(super) process: Arc<Process>,
    pub(super) answer: oneshot::Receiver<Answer>,
    pub(super) is_cold: bool,
}

/// A process that has asked for work.
struct Idle {
    process: Arc<Process>,
    give: oneshot::Sender<Delivery>,
    since: Instant,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// The one used last is at the end and is used first, so that spare ones become old and end.
    idle: Vec<Idle>,
    processes: BTreeMap<u64, Arc<Process>>,
    /// Started and not yet ready.
    starting: usize,
    /// Started and not yet ended.
    alive: usize,
    next_id: u64,
    is_closed: bool,
    invocations: u64,
    cold_starts: u64,
    last_cold_start_ms: Option<u64>,
}

impl State {
    /// How many processes have answered and not yet asked for more.
    fn returning(&self) -> usize {
        let is_free = |process: &&Arc<Process>| {
            process.is_ready() && !process.is_busy() && !process.is_condemned()
        };
        let free = self.processes.values().filter(is_free).count();
        free.saturating_sub(self.idle.len())
    }
}

pub(super) struct Pool {
    spec: Spec,
    starter: Starter,
    state: Mutex<State>,
}

/// What a process gets when it asks for work.
pub(super) enum Next {
    Now(Delivery),
    Later(oneshot::Receiver<Delivery>),
    Never,
}

impl Pool {
    pub(super) fn new(spec: Spec, starter: Starter) -> Self {
        Self { spec, starter, state: Mutex::default() }
    }

    pub(super) fn spec(&self) -> &Spec {
        &self.spec
    }

    pub(super) fn starter(&self) -> &Starter {
        &self.starter
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half-done that is worse than stopping for good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(self: &Arc<Self>, job: Job) {
        let mut state = self.state();
        if state.is_closed {
            let refusal = InvokeError::Unavailable("the gateway is stopping".to_owned());
            let _ = job.begun.send(Err(refusal));
            return;
        }
        while let Some(idle) = state.idle.pop() {
            if idle.give.is_closed() {
                continue;
            }
            state.invocations += 1;
            if let Some(delivery) = deliver(job, &idle.process, self.spec.function.timeout) {
                // If the process has gone this instant, its supervisor answers the event.
                let _ = idle.give.send(delivery);
            }
            return;
        }
        state.waiting.retain(|job| !job.begun.is_closed());
        if state.waiting.len() >= MAX_WAITING {
            let _ = job.begun.send(Err(InvokeError::Throttled));
            return;
        }
        state.waiting.push_back(job);
        let returning = state.returning();
        self.start_if_needed(&mut state, returning);
        if returning > 0 {
            let pool = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(RETURN_TIME).await;
                pool.start_if_needed(&mut pool.state(), 0);
            });
        }
    }

    /// `expected` processes will ask for work without being started.
    fn start_if_needed(self: &Arc<Self>, state: &mut State, expected: usize) {
        while state.starting + expected < state.waiting.len()
            && state.alive < self.spec.max_processes
        {
            state.starting += 1;
            state.alive += 1;
            state.next_id += 1;
            tokio::spawn(supervisor::supervise(Arc::clone(self), state.next_id));
        }
    }

    /// A process asks for work: the oldest waiting event, or the next one that comes.
    pub(super) fn next(&self, process: &Arc<Process>) -> Next {
        let mut state = self.state();
        if let Some(cold_start) = process.become_ready() {
            state.starting = state.starting.saturating_sub(1);
            state.cold_starts += 1;
            state.last_cold_start_ms = Some(milliseconds(cold_start));
        }
        if process.is_condemned() {
            return Next::Never;
        }
        while let Some(job) = state.waiting.pop_front() {
            if let Some(delivery) = deliver(job, process, self.spec.function.timeout) {
                state.invocations += 1;
                return Next::Now(delivery);
            }
        }
        let (give, given) = oneshot::channel();
        state.idle.push(Idle { process: Arc::clone(process), give, since: Instant::now() });
        Next::Later(given)
    }

    /// A process has printed a line.
    pub(super) fn printed(&self, process: &Process, line: &[u8]) {
        let Spec { function, usage, faults, .. } = &self.spec;
        usage.line(&function.name, line);
        // One that is being killed already dies once.
        let may_die = faults.is_armed() && process.is_busy() && !process.is_condemned();
        if may_die && faults.kills_at_line(&function.name, line) {
            process.kill();
        }
    }

    pub(super) fn joined(&self, process: &Arc<Process>) {
        self.state().processes.insert(process.id(), Arc::clone(process));
    }

    /// A process has ended, or could not be started. One that was never ready takes one waiting
    /// event with it, so that a function that cannot start is an answer and not a loop.
    pub(super) fn left(self: &Arc<Self>, id: u64, was_ready: bool, why: &str) {
        let mut state = self.state();
        state.processes.remove(&id);
        state.idle.retain(|idle| idle.process.id() != id);
        state.alive = state.alive.saturating_sub(1);
        if !was_ready {
            state.starting = state.starting.saturating_sub(1);
            if let Some(job) = state.waiting.pop_front() {
                let _ = job.begun.send(Err(InvokeError::Unavailable(why.to_owned())));
            }
        }
        self.start_if_needed(&mut state, 0);
    }

    /// Takes the process out of service if it has been without work for too long.
    pub(super) fn retire_if_idle(&self, id: u64) -> bool {
        let mut state = self.state();
        let limit = self.spec.idle_limit;
        let is_old = |idle: &Idle| idle.process.id() == id && idle.since.elapsed() >= limit;
        let Some(position) = state.idle.iter().position(is_old) else { return false };
        state.idle.remove(position);
        true
    }

    pub(super) fn close(&self) {
        self.state().is_closed = true;
    }

    /// Nothing waits and nothing runs.
    pub(super) fn is_at_rest(&self) -> bool {
        let state = self.state();
        state.waiting.iter().all(|job| job.begun.is_closed())
            && state.processes.values().all(|process| !process.is_busy())
    }

    pub(super) fn end_all(&self) {
        let mut state = self.state();
        state.waiting.clear();
        state.idle.clear();
        state.processes.values().for_each(|process| process.end());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().alive == 0
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    pub(super) fn status(&self) -> Value {
        let state = self.state();
        json!({
            "processes": state.processes.values().map(|p| p.status()).collect::<Vec<Value>>(),
            "max_processes": self.spec.max_processes,
            "waiting": state.waiting.len(),
            "invocations": state.invocations,
            "cold_starts": state.cold_starts,
            "last_cold_start_ms": state.last_cold_start_ms,
        })
    }
}

/// `None` if whoever asked has given up waiting.
fn deliver(job: Job, process: &Arc<Process>, timeout: Duration) -> Option<Delivery> {
    if job.begun.is_closed() {
        return None;
    }
    let is_doomed = job.kill == Some(KillPoint::After);
    let (answer, is_cold) = process.take_on(&job.request_id, is_doomed);
    let is_withheld = job.kill == Some(KillPoint::Before);
    if is_withheld {
        process.kill();
    }
    let _ = job.begun.send(Ok(Begun { process: Arc::clone(process), answer, is_cold }));
    Some(Delivery { request_id: job.request_id, event: job.event, timeout, is_withheld })
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
