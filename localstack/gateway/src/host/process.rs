//! One process of a function, as the pool and the Runtime API see it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use crate::invoke::InvokeError;

type Answer = Result<Bytes, InvokeError>;

/// An event on its way into the process.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) request_id: String,
    pub(super) event: Bytes,
    pub(super) timeout: Duration,
    /// The process dies before it reads the event.
    pub(super) is_withheld: bool,
}

struct Current {
    request_id: String,
    answer: oneshot::Sender<Answer>,
    /// Its answer will be lost, and the process with it.
    is_doomed: bool,
}

/// Why a supervisor should end its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It has used up its time: at once, because it may not listen any more.
    Kill,
    /// It is not needed: it may finish what it is writing.
    Ask,
}

pub(super) struct Process {
    id: u64,
    pid: AtomicU32,
    started: Instant,
    cold_start: Mutex<Option<Duration>>,
    has_worked: AtomicBool,
    current: Mutex<Option<Current>>,
    end: Mutex<Option<End>>,
    ending: Notify,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            pid: AtomicU32::new(0),
            started: Instant::now(),
            cold_start: Mutex::new(None),
            has_worked: AtomicBool::new(false),
            current: Mutex::new(None),
            end: Mutex::new(None),
            ending: Notify::new(),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    pub(super) fn set_pid(&self, pid: u32) {
        self.pid.store(pid, Ordering::Relaxed);
    }

    /// The time from its start to its first request for work; `None` from the second one on.
    pub(super) fn become_ready(&self) -> Option<Duration> {
        let mut cold_start = locked(&self.cold_start);
        if cold_start.is_some() {
            return None;
        }
        *cold_start = Some(self.started.elapsed());
        *cold_start
    }

    /// From its start to its first request for work.
    pub(super) fn cold_start(&self) -> Option<Duration> {
        *locked(&self.cold_start)
    }

    pub(super) fn is_ready(&self) -> bool {
        locked(&self.cold_start).is_some()
    }

    pub(super) fn is_busy(&self) -> bool {
        locked(&self.current).is_some()
    }

    /// Returns where its answer will come, and whether this is the process's first event.
    pub(super) fn take_on(
        &self,
        request_id: &str,
        is_doomed: bool,
    ) -> (oneshot::Receiver<Answer>, bool) {
        let (answer, answered) = oneshot::channel();
        let current = Current { request_id: request_id.to_owned(), answer, is_doomed };
        // A runtime that asks again without having answered has lost its event: dropping the old
        // sender reports it as crashed.
        *locked(&self.current) = Some(current);
        (answered, !self.has_worked.swap(true, Ordering::Relaxed))
    }

    /// `false` if the process does not work on that event (any more).
    pub(super) fn answered(&self, request_id: &str, answer: Answer) -> bool {
        let mut current = locked(&self.current);
        match current.take_if(|current| current.request_id == request_id) {
            // The receiver is gone only if the event has timed out this instant.
            Some(current) => {
                if current.is_doomed {
                    self.kill();
                }
                let is_killed = *locked(&self.end) == Some(End::Kill);
                let answer = if is_killed { Err(InvokeError::Crashed) } else { answer };
                current.answer.send(answer).is_ok()
            }
            None => false,
        }
    }

    pub(super) fn works_on(&self, request_id: &str) -> bool {
        locked(&self.current).as_ref().is_some_and(|current| current.request_id == request_id)
    }

    pub(super) fn give_up(&self, request_id: &str) {
        locked(&self.current).take_if(|current| current.request_id == request_id);
    }

    /// The process has ended: whatever it was working on has crashed.
    pub(super) fn has_ended(&self) {
        if let Some(current) = locked(&self.current).take() {
            let _ = current.answer.send(Err(InvokeError::Crashed));
        }
    }

    pub(super) fn kill(&self) {
        self.request_end(End::Kill);
    }

    pub(super) fn end(&self) {
        self.request_end(End::Ask);
    }

    fn request_end(&self, how: End) {
        *locked(&self.end) = Some(how);
        self.ending.notify_one();
    }

    /// It will be ended, so it gets no more work.
    pub(super) fn is_condemned(&self) -> bool {
        locked(&self.end).is_some()
    }

    pub(super) async fn end_requested(&self) -> End {
        loop {
            if let Some(how) = *locked(&self.end) {
                return how;
            }
            self.ending.notified().await;
        }
    }

    pub(super) fn status(&self) -> Value {
        let cold_start = locked(&self.cold_start).map(|took| took.as_millis());
        json!({
            "pid": self.pid(),
            "busy": self.is_busy(),
            "cold_start_ms": cold_start.and_then(|ms| u64::try_from(ms).ok()),
            "rss_kb": resident_kb(self.pid()),
        })
    }
}

/// The process's resident memory; `None` where `/proc` does not tell.
pub(super) fn resident_kb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
