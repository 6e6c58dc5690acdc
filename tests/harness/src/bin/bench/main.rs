//! Measures a whole system from outside, and its slowest parts alone, in one run.

mod commit;
mod emulator;
mod gateway;
mod login;
mod ratio;
mod spread;
mod talk;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use harness::{Api, Emulators, Options, Result, System, command, functions_of};

use spread::Spread;

/// Prints a report; it is not a test. Without --url it starts a system of its own, with the limit
/// of messages a second lifted, on a private Postgres and emulator under .local/bench.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    alone: Option<Alone>,
    /// Measure this started system instead (then without the parts that need its own database)
    #[arg(long, global = true)]
    url: Option<String>,
    /// How long each measurement under load takes
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
}

/// What is not part of the whole report.
#[derive(Subcommand)]
enum Alone {
    /// Whether the time of a sign-in, or of a forgotten password, tells who has an account
    Login {
        /// How often each question is asked
        #[arg(long, default_value_t = 400)]
        #[arg(value_parser = clap::value_parser!(u16).range(2..=10_000))]
        times: u16,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run("bench", async { run(&arguments).await.map(|()| true) })
}

async fn run(arguments: &Arguments) -> Result<()> {
    let duration = Duration::from_secs(arguments.seconds);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("binaries: {profile}; cores: {cores}; everything runs on this one machine\n");
    if let Some(url) = &arguments.url {
        let api = Api::new(url)?;
        println!("system: {url}, with the limits that it was started with\n");
        return match &arguments.alone {
            Some(alone) => report_alone(alone, &api).await,
            None => of_system(&api, duration).await.map(|_| ()),
        };
    }
    let emulators = Emulators::start("bench")?;
    let options = Options {
        superuser_url: Some(emulators.database_url.clone()),
        aws_endpoint_url: Some(emulators.aws_endpoint_url.clone()),
        holds_to_documents: false,
        ..Options::without_rate_limit()
    };
    let system = System::start(options).await?;
    if let Some(alone) = &arguments.alone {
        return report_alone(alone, &system.api()?).await;
    }
    let one_to_one = of_system(&system.api()?, duration).await?;
    drop(system);
    emulator::report(&emulators.aws_endpoint_url, one_to_one).await?;
    commit::report(&emulators.database_url, duration).await
}

async fn report_alone(alone: &Alone, api: &Api) -> Result<()> {
    let Alone::Login { times } = alone;
    login::report(api, usize::from(*times)).await
}

/// What any system can be asked. Answers the time from send to receive between two people.
async fn of_system(api: &Api, duration: Duration) -> Result<Spread> {
    println!("from send to receive, socket to socket");
    let one_to_one = talk::one_to_one(api, duration).await?;
    talk::group_of_20(api, duration).await?;
    println!("\nfunctions");
    let functions = functions_of(api).await?;
    for name in ["socket-message", "persist-messages"] {
        let Some(function) = functions.get(name) else { continue };
        let processes = &function.processes;
        let cold: Vec<_> = processes.iter().filter_map(|p| p.cold_start_ms).collect();
        let memory = processes.iter().filter_map(|p| p.rss_kb).max().unwrap_or_default();
        let memory = memory / 1024;
        println!("  {name:<17} cold starts {cold:?} ms, at most {memory} MB resident");
    }
    gateway::report(api).await?;
    Ok(one_to_one)
}
