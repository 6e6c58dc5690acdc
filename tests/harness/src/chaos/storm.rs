//! Faults that come and go, a few at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::faults::Faults;
use crate::live_table::LiveTable;
use crate::proxy::{Proxy, Weather};
use crate::{Api, Result, System, functions_of, kill_process};

/// At one time.
const FAULTS_MOST: usize = 4;
/// Of a fault in the gateway.
const LASTS_MS: std::ops::Range<u64> = 1_000..8_000;
/// Of a failing network before Postgres or the emulator.
const OUTAGE_MS: std::ops::Range<u64> = 500..4_000;
/// Functions that are killed at a chosen point, each of which does something after it.
const VICTIMS: [&str; 8] = [
    "socket-message",
    "persist-messages",
    "fan-out-events",
    "record-receipts",
    "socket-connect",
    "socket-disconnect",
    "socket-heartbeat",
    "announce-presence",
];

enum Ending {
    Rule(u64),
    Database,
    Emulator,
}

struct Blowing {
    name: String,
    until: Instant,
    ending: Ending,
}

/// What fails right now.
pub struct Storm {
    api: Api,
    faults: Faults,
    database: Proxy,
    emulator: Proxy,
    blowing: Vec<Blowing>,
    next: Instant,
    tally: BTreeMap<String, usize>,
}

impl Storm {
    pub fn new(system: &System, database: Proxy, emulator: Proxy) -> Result<Self> {
        Ok(Self {
            api: system.api()?,
            faults: Faults::of(system)?,
            database,
            emulator,
            blowing: Vec::new(),
            next: Instant::now(),
            tally: BTreeMap::new(),
        })
    }

    pub fn blowing(&self) -> Vec<String> {
        self.blowing.iter().map(|fault| fault.name.clone()).collect()
    }

    pub fn tally(&self) -> BTreeMap<String, usize> {
        self.tally.clone()
    }

    /// Ends what is over, and begins what the dice say.
    pub async fn blow(
        &mut self,
        chance: &mut fastrand::Rng,
        elapsed: Duration,
        duration: Duration,
    ) -> Result<()> {
        let now = Instant::now();
        let (over, rest) = std::mem::take(&mut self.blowing)
            .into_iter()
            .partition::<Vec<_>, _>(|fault| fault.until <= now);
        self.blowing = rest;
        for fault in over {
            self.stop(fault).await?;
        }
        let is_late = elapsed + Duration::from_secs(1) > duration;
        if is_late || now < self.next || self.blowing.len() >= FAULTS_MOST {
            return Ok(());
        }
        self.next = now + Duration::from_millis(chance.u64(300..1_500));
        self.begin(chance).await
    }

    async fn begin(&mut self, chance: &mut fastrand::Rng) -> Result<()> {
        let lasts = Duration::from_millis(chance.u64(LASTS_MS));
        match chance.u8(..10) {
            0 => self.kill_some_process(chance).await,
            1 => {
                let (name, weather) = weather(chance, "postgres");
                let is_free = !self.blowing.iter().any(|f| matches!(f.ending, Ending::Database));
                if is_free {
                    self.database.set(weather);
                    self.note(name, Duration::from_millis(chance.u64(OUTAGE_MS)), Ending::Database);
                }
                Ok(())
            }
            2 => {
                let (name, weather) = weather(chance, "emulator");
                let is_free = !self.blowing.iter().any(|f| matches!(f.ending, Ending::Emulator));
                if is_free {
                    self.emulator.set(weather);
                    self.note(name, Duration::from_millis(chance.u64(OUTAGE_MS)), Ending::Emulator);
                }
                Ok(())
            }
            _ => {
                let (name, rule) = rule(chance);
                let id = self.faults.add(&rule).await?;
                self.note(name, lasts, Ending::Rule(id));
                Ok(())
            }
        }
    }

    fn note(&mut self, name: String, lasts: Duration, ending: Ending) {
        *self.tally.entry(name.clone()).or_default() += 1;
        self.blowing.push(Blowing { name, until: Instant::now() + lasts, ending });
    }

    /// `kill -9`, whatever it is doing.
    async fn kill_some_process(&mut self, chance: &mut fastrand::Rng) -> Result<()> {
        let functions = functions_of(&self.api).await?;
        let processes = functions.values().flat_map(|function| &function.processes);
        let pids: Vec<i32> = processes.map(|process| process.pid).collect();
        if pids.is_empty() {
            return Ok(());
        }
        // It may have ended by itself meanwhile.
        if kill_process(pids[chance.usize(..pids.len())]).is_ok() {
            *self.tally.entry("process killed".to_owned()).or_default() += 1;
        }
        Ok(())
    }

    async fn stop(&mut self, fault: Blowing) -> Result<()> {
        match fault.ending {
            Ending::Rule(id) => self.faults.remove(id).await?,
            Ending::Database => self.database.set(Weather::Clear),
            Ending::Emulator => self.emulator.set(Weather::Clear),
        }
        Ok(())
    }

    /// Clear weather, and no rule left.
    pub async fn end(&mut self) -> Result<()> {
        self.blowing.clear();
        self.database.set(Weather::Clear);
        self.emulator.set(Weather::Clear);
        self.faults.heal().await
    }
}

fn weather(chance: &mut fastrand::Rng, before: &str) -> (String, Weather) {
    let slow = Weather::Slow(Duration::from_millis(chance.u64(5..80)));
    let (name, weather) = match chance.u8(..3) {
        0 => ("cut", Weather::Cut),
        1 => ("stalled", Weather::Stalled),
        _ => ("slow", slow),
    };
    (format!("{before} {name}"), weather)
}

fn rule(chance: &mut fastrand::Rng) -> (String, Value) {
    let ms = chance.u64(50..1_500);
    let seed = chance.u64(..1 << 50);
    let probability = f64::from(chance.u8(1..8)) / 10.0;
    let victim = VICTIMS[chance.usize(..VICTIMS.len())];
    let mut rule = match chance.u8(..18) {
        0 => json!({ "fault": "push.drop" }),
        1 => json!({ "fault": "push.delay", "ms": ms }),
        2 => json!({ "fault": "push.duplicate" }),
        3 => json!({ "fault": "push.swap" }),
        4 => json!({ "fault": "push.status", "status": 410 }),
        5 => json!({ "fault": "push.status", "status": 429 }),
        6 => json!({ "fault": "push.status", "status": 500 }),
        7 => json!({ "fault": "frame.drop" }),
        8 => json!({ "fault": "frame.delay", "ms": ms }),
        9 => json!({ "fault": "frame.duplicate" }),
        10 => json!({ "fault": "frame.swap" }),
        11 => json!({ "fault": "answer.drop" }),
        12 => json!({ "fault": "socket.cut", "every_ms": 1_000 }),
        13 => json!({ "fault": "disconnect.skip" }),
        14 => json!({ "fault": "disconnect.delay", "ms": ms }),
        15 => json!({ "fault": "function.kill", "function": victim, "point": "before" }),
        16 => json!({ "fault": "function.kill", "function": victim, "point": "after" }),
        _ => json!({ "fault": "function.error", "function": victim }),
    };
    let name = rule["fault"].as_str().unwrap_or_default().to_owned();
    let name = match (&rule["status"], &rule["point"]) {
        (Value::Number(status), _) => format!("{name} {status}"),
        (_, Value::String(point)) => format!("{name} {point}"),
        _ => name,
    };
    rule["probability"] = json!(probability);
    rule["seed"] = json!(seed);
    (name, rule)
}

/// Open sockets that no push can reach.
pub(super) async fn deaf_sockets(system: &System) -> Result<usize> {
    let table = LiveTable::of(system);
    let mut deaf = 0;
    for connection in Faults::of(system)?.connections().await? {
        deaf += usize::from(!table.hears(&connection).await?);
    }
    Ok(deaf)
}
