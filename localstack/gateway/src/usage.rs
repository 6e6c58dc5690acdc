//! Counts what AWS would bill, for `scripts/cost`: `GET /_gateway/usage` shows it, `DELETE`
//! begins anew. In memory only; what is counted has happened, what failed before it could cost
//! anything is not counted.

mod lines;
mod metered;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

pub use metered::Metered;

/// API Gateway meters WebSocket messages in units of 32 KB.
const UNIT_BYTES: usize = 32 * 1024;

/// Different counters of one function; more are dropped, so that a function that prints a new
/// name each time does not fill the memory.
const MAX_COUNTERS: usize = 200;

#[derive(Debug, Default)]
pub struct Usage {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    counters: Counters,
    /// Open sockets, and since when they have not been counted.
    open: HashMap<String, Instant>,
}

#[derive(Debug, Default, Clone, Serialize)]
struct Counters {
    lambda: BTreeMap<String, Lambda>,
    management: Messages,
    socket: Socket,
    sqs_pollers: BTreeMap<String, Poller>,
    http: Http,
    functions: BTreeMap<String, BTreeMap<String, f64>>,
}

#[derive(Debug, Default, Clone, Serialize)]
struct Lambda {
    invocations: u64,
    /// Work and, at a cold start, the start: AWS bills both. Each invocation rounded up to 1 ms.
    billed_ms: u64,
    /// The part of `billed_ms` that cold starts took.
    init_ms: u64,
    memory_mb: u32,
}

#[derive(Debug, Default, Clone, Serialize)]
struct Messages {
    posts: u64,
    units: u64,
}

#[derive(Debug, Default, Clone, Serialize)]
struct Socket {
    frames_in: u64,
    units_in: u64,
    frames_out: u64,
    units_out: u64,
    connection_minutes: f64,
}

#[derive(Debug, Default, Clone, Serialize)]
struct Poller {
    receives: u64,
    empty_receives: u64,
    deletes: u64,
    is_fifo: bool,
}

#[derive(Debug, Default, Clone, Serialize)]
struct Http {
    requests: u64,
}

/// One call of a queue by an event source mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollerCall {
    Receive { is_empty: bool },
    Delete,
}

impl Usage {
    /// An invocation that reached a process, whatever came of it.
    pub(crate) fn invoked(
        &self,
        function: &str,
        memory_mb: u32,
        worked: Duration,
        started: Option<Duration>,
    ) {
        let init_ms = started.map_or(0, rounded_up);
        let mut state = self.lock();
        let lambda = entry(&mut state.counters.lambda, function);
        lambda.invocations += 1;
        lambda.init_ms += init_ms;
        lambda.billed_ms += rounded_up(worked) + init_ms;
        lambda.memory_mb = memory_mb;
    }

    /// A post to `@connections` that was answered 200.
    pub(crate) fn posted(&self, bytes: usize) {
        let management = &mut self.lock().counters.management;
        management.posts += 1;
        management.units += units(bytes);
    }

    pub(crate) fn frame_in(&self, bytes: usize) {
        let socket = &mut self.lock().counters.socket;
        socket.frames_in += 1;
        socket.units_in += units(bytes);
    }

    pub(crate) fn frame_out(&self, bytes: usize) {
        let socket = &mut self.lock().counters.socket;
        socket.frames_out += 1;
        socket.units_out += units(bytes);
    }

    pub(crate) fn socket_opened(&self, id: &str) {
        self.lock().open.insert(id.to_owned(), Instant::now());
    }

    pub(crate) fn socket_closed(&self, id: &str) {
        let mut state = self.lock();
        if let Some(since) = state.open.remove(id) {
            state.counters.socket.connection_minutes += minutes(since);
        }
    }

    pub(crate) fn polled(&self, queue: &str, is_fifo: bool, call: PollerCall) {
        let mut state = self.lock();
        let poller = entry(&mut state.counters.sqs_pollers, queue);
        poller.is_fifo = is_fifo;
        match call {
            PollerCall::Receive { is_empty } => {
                poller.receives += 1;
                poller.empty_receives += u64::from(is_empty);
            }
            PollerCall::Delete => poller.deletes += 1,
        }
    }

    pub(crate) fn http_request(&self) {
        self.lock().counters.http.requests += 1;
    }

    /// A line that a function printed; most are no usage and cost one search.
    pub(crate) fn line(&self, function: &str, line: &[u8]) {
        let Some(usage) = lines::read(line) else { return };
        let mut state = self.lock();
        let known = entry(&mut state.counters.functions, function);
        for (name, amount) in usage {
            if known.len() < MAX_COUNTERS || known.contains_key(&name) {
                *known.entry(name).or_default() += amount;
            }
        }
    }

    pub(crate) fn as_json(&self) -> Value {
        let state = self.lock();
        let mut counters = state.counters.clone();
        let open: f64 = state.open.values().map(|since| minutes(*since)).sum();
        drop(state);
        counters.socket.connection_minutes += open;
        // Maps with text keys and finite numbers always are JSON.
        serde_json::to_value(counters).unwrap_or_default()
    }

    /// Begins anew; sockets that are open count from now on.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.counters = Counters::default();
        let now = Instant::now();
        state.open.values_mut().for_each(|since| *since = now);
    }

    /// Every change is a few additions: a panic elsewhere leaves nothing half-done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without an allocation for a name that is known already.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.entry(name.to_owned()).or_default()
}

/// At least one, each 32 KB begun.
fn units(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(UNIT_BYTES).max(1)).unwrap_or(u64::MAX)
}

fn rounded_up(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

fn minutes(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_costs_a_unit_for_each_32_kilobytes_begun() {
        let units = [0, 1, UNIT_BYTES, UNIT_BYTES + 1, 4 * UNIT_BYTES].map(units);
        assert_eq!(units, [1, 1, 1, 2, 4]);
    }

    #[test]
    fn a_cold_start_is_billed_with_its_first_event() {
        let usage = Usage::default();
        let ms = Duration::from_millis;
        usage.invoked("f", 256, Duration::from_micros(1001), Some(ms(50)));
        usage.invoked("f", 256, ms(3), None);
        let lambda = &usage.as_json()["lambda"]["f"];
        assert_eq!(lambda["billed_ms"], 2 + 50 + 3);
        assert_eq!(lambda["init_ms"], 50);
        assert_eq!(lambda["invocations"], 2);
        assert_eq!(lambda["memory_mb"], 256);
    }

    #[test]
    fn names_of_counters_are_bounded() {
        let usage = Usage::default();
        for number in 0..2 * MAX_COUNTERS {
            let line = format!(r#"{{"message":"usage","usage":"{{\"c{number}\":1}}"}}"#);
            usage.line("f", line.as_bytes());
        }
        let counters = usage.as_json()["functions"]["f"].as_object().unwrap().len();
        assert_eq!(counters, MAX_COUNTERS);
    }

    #[test]
    fn an_open_socket_counts_from_the_reset_on() {
        let usage = Usage::default();
        usage.socket_opened("a");
        std::thread::sleep(Duration::from_millis(30));
        let before = usage.as_json()["socket"]["connection_minutes"].as_f64().unwrap();
        usage.reset();
        usage.socket_closed("a");
        usage.socket_closed("unknown");
        let after = usage.as_json()["socket"]["connection_minutes"].as_f64().unwrap();
        assert!(before * 60_000.0 >= 30.0);
        assert!(after < before);
    }
}
