//! Lets faults loose on a whole system and prints what became of every message.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use harness::chaos::{Campaign, Progress};
use harness::{Emulators, Result, command};

/// Starts a system of its own on a private Postgres and emulator under .local/chaos.
#[derive(Parser)]
#[command(name = "chaos")]
struct Arguments {
    /// How long faults are let loose; healing comes after
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    seconds: u64,
    /// Draws the same actions and faults again
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// People who talk
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(4..=50))]
    people: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run("chaos", run(&arguments))
}

/// Whether every promise was kept.
async fn run(arguments: &Arguments) -> Result<bool> {
    let emulators = Emulators::start("chaos")?;
    let campaign = Campaign {
        seed: arguments.seed,
        duration: Duration::from_secs(arguments.seconds),
        people: usize::try_from(arguments.people).unwrap_or(9),
        healing: Duration::from_secs(240),
        superuser_url: emulators.database_url.clone(),
        aws_endpoint_url: emulators.aws_endpoint_url.clone(),
    };
    let verdict = campaign.run(show).await;
    // Past the line of progress, whatever comes now.
    eprintln!();
    let verdict = verdict?;
    println!("seed {}, {} s of faults", arguments.seed, arguments.seconds);
    println!("{verdict}");
    println!("{}", if verdict.is_clean() { "every promise was kept" } else { "BROKEN" });
    Ok(verdict.is_clean())
}

/// One line that is written over again and again.
fn show(progress: &Progress) {
    let Progress { elapsed, posted, unsettled, faults, is_healing } = progress;
    let what = if *is_healing { "healing".to_owned() } else { faults.join(", ") };
    let seconds = elapsed.as_secs();
    eprint!("\r\x1b[K{seconds:>4} s  {posted} posted, {unsettled} on their way  {what:.60}");
    let _ = std::io::stderr().flush();
}
