//! Looks after messages that were set aside.

use std::error::Error;
use std::process::ExitCode;

use aws::quarantine::{
    Look, Outcome, Outcomes, Quarantine, Queues, heading, line, printable, shown,
};
use aws::{ClientOptions, Clients};
use clap::{Args, Parser, Subcommand};
use service::port::Failure;

/// Messages that failed for an unknown reason are set aside, so that they hold up no others.
/// This looks at them, puts them back on their lane, or throws them away.
///
/// The queues are those of --stack, or those that the environment names. AWS_ENDPOINT_URL,
/// AWS_REGION and credentials are read as every AWS tool reads them.
#[derive(Parser)]
#[command(name = "quarantine")]
struct Arguments {
    /// The name of the deployed stack whose quarantine it is.
    #[arg(long, global = true)]
    stack: Option<String>,
    /// The queue of what was set aside, when no stack is named.
    #[arg(long, global = true, env = "QUARANTINE_QUEUE_URL")]
    quarantine_queue_url: Option<String>,
    /// The lane that messages go back to, when no stack is named.
    #[arg(long, global = true, env = "PERSIST_QUEUE_URL")]
    persist_queue_url: Option<String>,
    /// One JSON object a line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What was set aside, when and why; not what people wrote.
    List,
    /// One job with all that it says, what people wrote too.
    Show {
        /// As the list names it.
        id: String,
    },
    /// Puts a job back on its lane; its messages get new numbers when they are stored.
    Replay(Which),
    /// Throws a job away for good.
    Drop {
        #[command(flatten)]
        which: Which,
        /// Yes, it is lost then.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// As the list names it.
    id: Option<String>,
    /// Every job.
    #[arg(long)]
    all: bool,
}

/// Asked for something that cannot be done as it was asked.
const USAGE: u8 = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("quarantine: {}", printable(&sentence(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    if let Command::Drop { yes: false, .. } = arguments.command {
        eprintln!("quarantine: what is dropped is lost; say --yes to go on");
        return Ok(ExitCode::from(USAGE));
    }
    let client = Clients::load(ClientOptions::default()).await.sqs();
    let urls = (&arguments.quarantine_queue_url, &arguments.persist_queue_url);
    let queues = match (&arguments.stack, urls) {
        (Some(stack), _) => Queues::of_stack(&client, stack).await?,
        (None, (Some(quarantine_url), Some(persist_url))) => {
            Queues { quarantine_url: quarantine_url.clone(), persist_url: persist_url.clone() }
        }
        (None, _) => {
            eprintln!(
                "quarantine: which one? Name a --stack, or set QUARANTINE_QUEUE_URL and \
                 PERSIST_QUEUE_URL"
            );
            return Ok(ExitCode::from(USAGE));
        }
    };
    let quarantine = Quarantine::new(client, queues);
    let json = arguments.json;
    match &arguments.command {
        Command::List => {
            list(&quarantine.look().await?, json);
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { id } => {
            let look = quarantine.look().await?;
            let Some(job) = look.found.iter().find(|job| job.id == *id) else {
                return Ok(unknown(id));
            };
            println!("{}", shown(job, json));
            Ok(ExitCode::SUCCESS)
        }
        Command::Replay(Which { id: Some(id), .. }) => {
            Ok(one(id, quarantine.replay(id).await?, json))
        }
        Command::Replay(Which { id: None, .. }) => every(quarantine.replay_all().await, json),
        Command::Drop { which: Which { id: Some(id), .. }, .. } => {
            Ok(one(id, quarantine.throw_away(id).await?, json))
        }
        Command::Drop { which: Which { id: None, .. }, .. } => {
            every(quarantine.throw_all_away().await, json)
        }
    }
}

fn list(look: &Look, json: bool) {
    if json {
        look.found.iter().for_each(|job| println!("{}", line(job, json)));
        return;
    }
    if look.count == 0 {
        println!("Nothing is set aside.");
        return;
    }
    println!("{}", heading());
    look.found.iter().for_each(|job| println!("{}", line(job, json)));
    if look.found.len() < look.count {
        let (shown, count) = (look.found.len(), look.count);
        println!(
            "About {count} are set aside, {shown} could be shown: of one conversation SQS shows \
             ten at a time, and none that somebody else is looking at."
        );
    }
}

fn one(id: &str, outcome: Option<Outcome>, json: bool) -> ExitCode {
    outcome.map_or_else(|| unknown(id), |outcome| all(&[(id.to_owned(), outcome)], json))
}

/// Tells what was done before it tells what ended it.
fn every(
    (outcomes, ended): (Outcomes, Result<(), Failure>),
    json: bool,
) -> Result<ExitCode, Box<dyn Error>> {
    if outcomes.is_empty() {
        ended?;
        return Ok(all(&outcomes, json));
    }
    let code = all(&outcomes, json);
    ended?;
    Ok(code)
}

/// Fails when something was refused.
fn all(outcomes: &[(String, Outcome)], json: bool) -> ExitCode {
    for (id, outcome) in outcomes {
        let (said, why) = match outcome {
            Outcome::Replayed => ("replayed", None),
            Outcome::Dropped => ("dropped", None),
            Outcome::Refused(why) => ("refused", Some(why.as_str())),
        };
        if json {
            println!("{}", serde_json::json!({"id": id, "outcome": said, "reason": why}));
        } else {
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            println!("{}", printable(&format!("{said} {id}{why}")));
        }
    }
    if outcomes.is_empty() && !json {
        println!("Nothing is set aside.");
    }
    let is_done = !outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Refused(_)));
    if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn unknown(id: &str) -> ExitCode {
    let id = printable(id);
    eprintln!("quarantine: there is no {id}; `quarantine list` tells what there is");
    ExitCode::FAILURE
}

fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
