//! One run of one function, which may end at any step.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use service::port::Failure;
use tokio::sync::Notify;

use crate::ports::Ports;
use crate::world::{World, sleep_ms};

pub struct Invocation {
    world: Arc<World>,
    pub name: &'static str,
    pub number: u64,
    is_worker: bool,
    is_crashed: AtomicBool,
    crash: Notify,
}

impl Invocation {
    /// Lets the seed do its worst before a port's effect.
    pub async fn before(&self, point: &'static str) -> Result<(), Failure> {
        self.end_if_crashed().await;
        let (world, rates) = (&self.world, self.world.rates());
        if world.chance.roll(rates.delay) {
            world.count("delay", point);
            sleep_ms(world.chance.between(100, 3_000)).await;
        } else if world.chance.roll(400) {
            sleep_ms(world.chance.between(1, 12)).await;
        }
        if self.is_worker && world.chance.roll(rates.stall) {
            world.count("stall", point);
            sleep_ms(world.chance.between(31_000, 45_000)).await;
        }
        self.end_if_crashed().await;
        if world.chance.roll(rates.crash_before) {
            world.count("crash before", point);
            self.crash().await;
        }
        if world.chance.roll(rates.fail_before) {
            world.count("fail before", point);
            return Err(Failure::unavailable("the port", "the seed says so"));
        }
        Ok(())
    }

    /// And after it.
    pub async fn after(&self, point: &'static str) -> Result<(), Failure> {
        let (world, rates) = (&self.world, self.world.rates());
        if world.chance.roll(rates.crash_after) {
            world.count("crash after", point);
            self.crash().await;
        }
        if world.chance.roll(rates.fail_after) {
            world.count("fail after", point);
            return Err(Failure::unavailable("the port", "its answer was lost"));
        }
        Ok(())
    }

    /// The process ends: nothing of this invocation goes on.
    pub async fn crash(&self) {
        self.is_crashed.store(true, Ordering::Relaxed);
        self.world.say(|| format!("{} #{} crashed", self.name, self.number));
        self.crash.notify_one();
        pending::<()>().await;
    }

    async fn end_if_crashed(&self) {
        if self.is_crashed.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }
}

/// How long a function may take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// API Gateway waits so long.
    Request,
    /// The worker of the persist lane.
    Persist,
    /// Other workers; one that hangs is ended.
    Worker,
}

impl Patience {
    fn longest(self) -> Duration {
        match self {
            Self::Request => Duration::from_secs(29),
            // Longer than it is in truth, so that one may outlive its batch's visibility.
            Self::Persist => Duration::from_secs(90),
            Self::Worker => Duration::from_secs(35),
        }
    }
}

/// Runs a function over ports of its own; `None` when it crashed or took too long.
pub async fn invoke<T, F>(
    world: &Arc<World>,
    name: &'static str,
    patience: Patience,
    work: impl FnOnce(Ports) -> F,
) -> Option<T>
where
    F: Future<Output = T>,
{
    let invocation = Arc::new(Invocation {
        world: Arc::clone(world),
        name,
        number: world.next_invocation(),
        is_worker: patience != Patience::Request,
        is_crashed: AtomicBool::new(false),
        crash: Notify::new(),
    });
    let work = work(Ports { world: Arc::clone(world), invocation: Arc::clone(&invocation) });
    tokio::select! {
        biased;
        () = invocation.crash.notified() => None,
        done = work => Some(done),
        () = tokio::time::sleep(patience.longest()) => {
            world.count("time out", name);
            None
        }
    }
}
