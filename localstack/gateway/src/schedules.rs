//! EventBridge's part: invokes a function every so often, and at once when a developer asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::front::clock::Clock;
use crate::front::{ids, milliseconds};
use crate::invoke::{Invoke, InvokeError};
use crate::model::{Model, Schedule};

#[derive(Debug, Clone)]
pub struct Options {
    pub region: String,
    pub account: String,
}

/// The template's rules by logical id, enabled or not.
#[derive(Default)]
pub struct Schedules {
    rules: BTreeMap<String, Arc<Rule>>,
}

struct Rule {
    schedule: Schedule,
    options: Options,
    invoke: Arc<dyn Invoke>,
    /// Held while the function works: a rule has one invocation at a time.
    turn: tokio::sync::Mutex<()>,
}

/// The rules' clocks, running.
pub struct Ticking {
    stop: watch::Sender<bool>,
    clocks: JoinSet<()>,
}

/// What came of one invocation.
pub(crate) struct Fired {
    pub function: String,
    pub took: Duration,
    pub answer: Result<Bytes, InvokeError>,
}

impl Schedules {
    pub fn of(model: &Model, invoke: &Arc<dyn Invoke>, options: &Options) -> Self {
        let rule = |schedule: &Schedule| {
            let rule = Rule {
                schedule: schedule.clone(),
                options: options.clone(),
                invoke: Arc::clone(invoke),
                turn: tokio::sync::Mutex::default(),
            };
            (schedule.id.clone(), Arc::new(rule))
        };
        Self { rules: model.schedules.iter().map(rule).collect() }
    }

    /// Starts the enabled rules' clocks; each rule fires for the first time after its interval.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// The clock's rate is not a positive number.
    pub fn start(&self, clock_rate: f64) -> std::io::Result<Ticking> {
        let clock = Clock::new(clock_rate)?;
        let (stop, stopping) = watch::channel(false);
        let mut clocks = JoinSet::new();
        for rule in self.rules.values().filter(|rule| rule.schedule.is_enabled) {
            let interval = clock.shorten(rule.schedule.interval);
            clocks.spawn(Arc::clone(rule).tick(interval, stopping.clone()));
        }
        Ok(Ticking { stop, clocks })
    }

    /// Fires one rule now, behind an invocation that is under way; `None` if there is no such
    /// rule. It runs to its end even if the caller goes away.
    pub(crate) async fn fire(&self, id: &str) -> Option<Fired> {
        let rule = Arc::clone(self.rules.get(id)?);
        tokio::spawn(async move { rule.fire().await }).await.ok()
    }

    pub(crate) fn as_json(&self) -> Value {
        let rule = |rule: &Arc<Rule>| {
            json!({
                "rule": rule.schedule.id,
                "function": rule.schedule.function,
                "every_seconds": rule.schedule.interval.as_secs(),
                "enabled": rule.schedule.is_enabled,
            })
        };
        json!({ "schedules": self.rules.values().map(rule).collect::<Vec<Value>>() })
    }
}

impl Ticking {
    /// Fires no more and lets what is under way finish within `grace`.
    pub async fn stop(mut self, grace: Duration) {
        let _ = self.stop.send(true);
        let all = async { while self.clocks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(grace, all).await;
    }
}

impl Rule {
    async fn tick(self: Arc<Self>, interval: Duration, mut stopping: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(interval);
        // A function slower than its rate is not made up for.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                biased;
                // An error means that the gateway is gone, which is a stop too.
                _ = stopping.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            self.fire().await;
        }
    }

    /// A failure is logged; the next tick tries again.
    async fn fire(&self) -> Fired {
        let _turn = self.turn.lock().await;
        let begin = Instant::now();
        let function = self.schedule.function.clone();
        let answer = self.invoke.invoke(&function, self.event()).await;
        let (rule, took) = (&self.schedule.id, begin.elapsed());
        let duration_ms = milliseconds(took);
        match &answer {
            Ok(_) => tracing::info!(rule, function, duration_ms, "schedule fired"),
            Err(failure) => {
                tracing::error!(rule, function, duration_ms, %failure, "a scheduled run failed");
            }
        }
        Fired { function, took, answer }
    }

    fn event(&self) -> Bytes {
        let event = json!({
            "version": "0",
            "id": ids::request(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self.options.account,
            "time": Clock::now().rfc3339_seconds(),
            "region": self.options.region,
            "resources": [self.schedule.arn],
            "detail": {},
        });
        Bytes::from(event.to_string())
    }
}
