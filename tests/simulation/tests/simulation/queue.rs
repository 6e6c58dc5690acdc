//! A standard queue: at least once, in any order, with a visibility timeout and a dead-letter end.

use std::sync::Mutex;

use tokio::sync::Notify;

use crate::world::{World, lock, sleep_ms};

struct Waiting<T> {
    number: u64,
    job: T,
    due_ms: u64,
    receives: u32,
}

struct State<T> {
    waiting: Vec<Waiting<T>>,
    sent: u64,
}

pub struct StandardQueue<T> {
    pub name: &'static str,
    visibility_ms: u64,
    receives_most: u32,
    state: Mutex<State<T>>,
    filled: Notify,
}

impl<T: Clone> StandardQueue<T> {
    pub fn new(name: &'static str, visibility_ms: u64, receives_most: u32) -> Self {
        let state = Mutex::new(State { waiting: Vec::new(), sent: 0 });
        Self { name, visibility_ms, receives_most, state, filled: Notify::new() }
    }

    /// Late, early or twice, as chance has it.
    pub fn send(&self, world: &World, job: T, delay_ms: u64) {
        let rates = world.rates();
        let copies = if world.chance.roll(rates.job_doubled) {
            world.count("job doubled", self.name);
            2
        } else {
            1
        };
        for _ in 0..copies {
            let late_ms = if world.chance.roll(rates.job_late) {
                world.count("job late", self.name);
                world.chance.between(500, 20_000)
            } else {
                world.chance.between(1, 20)
            };
            let due_ms = world.now_ms() + delay_ms + late_ms;
            let mut state = lock(&self.state);
            state.sent += 1;
            let number = state.sent;
            state.waiting.push(Waiting { number, job: job.clone(), due_ms, receives: 0 });
        }
        self.filled.notify_waiters();
    }

    /// Until something may be due.
    pub async fn wait(&self, world: &World) {
        let filled = self.filled.notified();
        let due_ms = lock(&self.state).waiting.iter().map(|waiting| waiting.due_ms).min();
        match due_ms {
            None => filled.await,
            Some(due_ms) => tokio::select! {
                biased;
                () = filled => {}
                () = sleep_ms(due_ms.saturating_sub(world.now_ms()).max(1)) => {}
            },
        }
    }

    /// Some that are due, in no order; each with the number that deletes it.
    pub fn receive(&self, world: &World, most: usize) -> Vec<(u64, T)> {
        let now = world.now_ms();
        let mut state = lock(&self.state);
        let mut received = Vec::new();
        while received.len() < most {
            let due = state.waiting.iter().enumerate().filter(|(_, w)| w.due_ms <= now);
            let due: Vec<usize> = due.map(|(at, _)| at).collect();
            let Some(at) = world.chance.pick(&due) else { break };
            if state.waiting[*at].receives >= self.receives_most {
                state.waiting.remove(*at);
                world.count("job given up", self.name);
                continue;
            }
            let chosen = &mut state.waiting[*at];
            chosen.receives += 1;
            chosen.due_ms = now + self.visibility_ms;
            received.push((chosen.number, chosen.job.clone()));
        }
        received
    }

    pub fn delete(&self, number: u64) {
        lock(&self.state).waiting.retain(|waiting| waiting.number != number);
    }

    pub fn length(&self) -> usize {
        lock(&self.state).waiting.len()
    }
}
