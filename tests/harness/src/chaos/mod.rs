//! A campaign of faults against a whole system, and the verdict on what became of every message.
//!
//! People talk through the reference client while the gateway drops, delays, doubles and swaps
//! what it carries, functions are killed, sockets are cut, and the network before Postgres and
//! the emulator fails. Then everything heals, and what each device shows is compared with what
//! Postgres holds.

mod crowd;
mod storm;
mod verdict;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::proxy::Proxy;
use crate::{Options, Result, System};
use crowd::Crowd;
use storm::Storm;
pub use verdict::Verdict;

/// One campaign. The same seed draws the same actions and faults, though not at the same moments:
/// the machine decides those.
#[derive(Debug, Clone)]
pub struct Campaign {
    pub seed: u64,
    /// Of faults; healing comes after.
    pub duration: Duration,
    /// How many people talk, at least four.
    pub people: usize,
    /// The most that healing may take.
    pub healing: Duration,
    pub superuser_url: String,
    pub aws_endpoint_url: String,
}

/// How far a campaign is.
#[derive(Debug, Clone)]
pub struct Progress {
    pub elapsed: Duration,
    pub posted: usize,
    /// Own messages of all devices whose end is not known yet.
    pub unsettled: usize,
    /// What fails right now.
    pub faults: Vec<String>,
    pub is_healing: bool,
}

/// Between two looks at what is going on.
const BEAT: Duration = Duration::from_millis(100);
/// Between two calls of the progress.
const PROGRESS: Duration = Duration::from_secs(1);
/// Of the devices: a lost push of a quiet conversation is found within one.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);

impl Campaign {
    /// # Errors
    /// The system does not start, or cannot be looked at afterwards. What it did wrong is in the
    /// verdict.
    pub async fn run(&self, mut tell: impl FnMut(&Progress)) -> Result<Verdict> {
        let (database, superuser_url) = Proxy::before_url(&self.superuser_url).await?;
        let (emulator, aws_endpoint_url) = Proxy::before_url(&self.aws_endpoint_url).await?;
        let options = Options {
            superuser_url: Some(superuser_url),
            aws_endpoint_url: Some(aws_endpoint_url),
            holds_to_documents: true,
            ..Options::without_rate_limit()
        };
        let system = System::start(options.with_faults().with("NudgeAfterSeconds", "5")).await?;
        let mut chance = fastrand::Rng::with_seed(self.seed);
        let mut crowd = Crowd::gather(&system, self.people, &mut chance).await?;
        let mut storm = Storm::new(&system, database, emulator)?;
        let begun = Instant::now();
        let mut told = Instant::now();
        while begun.elapsed() < self.duration {
            crowd.act(&mut chance).await;
            storm.blow(&mut chance, begun.elapsed(), self.duration).await?;
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                tell(&progress(&crowd, &storm, begun, false));
            }
            sleep(BEAT).await;
        }
        storm.end().await?;
        crowd.everybody_online();
        let healing = Instant::now();
        while healing.elapsed() < self.healing && !crowd.is_settled(&system).await? {
            tell(&progress(&crowd, &storm, begun, true));
            sleep(PROGRESS).await;
        }
        let healed = healing.elapsed();
        Verdict::on(&system, &crowd, storm.tally(), healed).await
    }
}

fn progress(crowd: &Crowd, storm: &Storm, begun: Instant, is_healing: bool) -> Progress {
    Progress {
        elapsed: begun.elapsed(),
        posted: crowd.posted(),
        unsettled: crowd.unsettled(),
        faults: storm.blowing(),
        is_healing,
    }
}
