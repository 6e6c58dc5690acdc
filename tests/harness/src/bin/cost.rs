//! Prints what a message costs on AWS: calls counted here, priced by a table.

use std::process::ExitCode;

use clap::Parser;
use harness::cost::{Load, Receipt};
use harness::{Emulators, Options, Result, System, command};

/// Starts a system of its own on a private Postgres and emulator under .local/cost, sends messages
/// as the bench does, and prices every call that AWS would bill.
#[derive(Parser)]
#[command(name = "cost")]
struct Arguments {
    /// Messages that each person says in a pair; in the group a tenth of it
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(10..=2_000))]
    messages: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run("cost", async { run(&arguments).await.map(|()| true) })
}

async fn run(arguments: &Arguments) -> Result<()> {
    let messages = usize::try_from(arguments.messages).unwrap_or(100);
    let emulators = Emulators::start("cost")?;
    let options = Options {
        superuser_url: Some(emulators.database_url.clone()),
        aws_endpoint_url: Some(emulators.aws_endpoint_url.clone()),
        holds_to_documents: false,
        // Functions print what they called only at this level.
        log_level: "debug",
        ..Options::without_rate_limit()
    };
    let system = System::start(options).await?;
    let api = system.api()?;
    println!("prices: us-east-1, 2026-11, without free tiers (tests/harness/src/cost/prices.rs)");
    println!("the functions' time is this machine's; everything runs on it at once\n");
    // Cold starts are not part of a message.
    Load { messages_each: 3, ..Load::one_to_one(3) }.run(&api).await?;
    print("1:1, ten pairs, both talking", &Load::one_to_one(messages).run(&api).await?);
    let group = Load::group_of_fifty((messages / 10).max(1));
    print("group of 50, 20 online, all talking", &group.run(&api).await?);
    Ok(())
}

fn print(what: &str, receipt: &Receipt) {
    println!("{what}\n{receipt}\n");
}
