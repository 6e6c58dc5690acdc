//! Puts the parts together: template → resources → functions → event sources → front, and takes
//! them apart in the opposite order.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::absolute;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::cli::Cli;
use crate::event_sources::{self, EventSources};
use crate::faults::Faults;
use crate::host::{self, Host};
use crate::invoke::Invoke;
use crate::invoke_remote::RemoteFunctions;
use crate::model::Model;
use crate::resources::Clients;
use crate::schedules::{self, Schedules};
use crate::template::{Physical, Settings, Template};
use crate::usage::{Metered, Usage};
use crate::{environment, front};

/// The account of every emulator.
const ACCOUNT: &str = "000000000000";

/// What is under way when the gateway is told to stop gets this long.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// As on AWS, a process without work is ended after some minutes.
const IDLE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// Everything that is known before anything is served.
struct Plan {
    model: Arc<Model>,
    physical: Physical,
    clients: Clients,
    usage: Arc<Usage>,
    faults: Arc<Faults>,
}

/// Runs the gateway until it is told to stop. The error is a sentence for a person.
pub async fn run(cli: Cli) -> Result<(), String> {
    // Taken before anything is created, so that an early Ctrl-C is seen too.
    let stop = stop_requested(cli.exit_with_stdin)?;
    tokio::pin!(stop);
    tokio::select! {
        () = &mut stop => Ok(()),
        started = start(&cli) => match started? {
            Some((listener, plan)) => serve(&cli, listener, plan, stop).await,
            None => Ok(()),
        },
    }
}

/// `None` if the environment was to be printed only.
async fn start(cli: &Cli) -> Result<Option<(TcpListener, Plan)>, String> {
    if cli.print_environment {
        if cli.port == 0 {
            return Err("--print-environment needs the --port that the gateway will have".into());
        }
        let plan = plan(cli, SocketAddr::from((Ipv4Addr::LOCALHOST, cli.port))).await?;
        return print_environment(cli, &plan.model).map(|()| None);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, cli.port)).await.map_err(|error| {
        format!("port {} cannot be used: {error}. Choose another one with --port.", cli.port)
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let faults_are_allowed = cli.faults_are_allowed(address)?;
    let mut plan = plan(cli, address).await?;
    if faults_are_allowed {
        warn_of_faults(&cli.stack);
        plan.faults = Arc::new(Faults::allowed(plan.model.functions.keys().cloned()));
    }
    Ok(Some((listener, plan)))
}

async fn plan(cli: &Cli, address: SocketAddr) -> Result<Plan, String> {
    let path = cli.template.display();
    let text = std::fs::read_to_string(&cli.template)
        .map_err(|error| format!("{path} cannot be read: {error}. Name it with --template."))?;
    let settings = Settings {
        stack: cli.stack.clone(),
        region: cli.aws_region.clone(),
        account: ACCOUNT.to_owned(),
        origin: address.to_string(),
        overrides: cli.parameters.iter().cloned().collect(),
    };
    let faulty = |problems| format!("{path} cannot be used:\n{problems}");
    let template = Template::parse(&text, settings).map_err(faulty)?;
    let resources = template.check().map_err(faulty)?;
    let clients = Clients::connect(&cli.aws_endpoint_url, &cli.aws_region).await;
    let physical = clients
        .provision(&resources, &cli.stack, &cli.database_url)
        .await
        .map_err(|failure| failure.to_string())?;
    let model = Arc::new(template.model(&physical).map_err(faulty)?);
    Ok(Plan { model, physical, clients, usage: Arc::default(), faults: Arc::default() })
}

/// Twice, so that no level of logging hides it.
fn warn_of_faults(stack: &str) {
    eprintln!("gateway: FAULTS ARE POSSIBLE HERE: /_gateway/faults can break the stack {stack}");
    tracing::warn!(stack, "--faults: this gateway breaks things when it is told to");
}

fn print_environment(cli: &Cli, model: &Model) -> Result<(), String> {
    let common = cli.emulator_environment();
    let text = if cli.union {
        environment::as_union(model, &common)?
    } else {
        environment::as_json(model, &common).map_err(|error| error.to_string())?
    };
    say(&text).map_err(|error| format!("standard output cannot be written: {error}"))
}

fn say(line: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}

async fn serve(
    cli: &Cli,
    listener: TcpListener,
    plan: Plan,
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let max_processes = usize::try_from(cli.max_processes).unwrap_or(usize::MAX);
    let (invoke, host) = functions(cli, &plan, max_processes)?;
    let options = event_sources::Options {
        region: cli.aws_region.clone(),
        account: ACCOUNT.to_owned(),
        max_processes,
        usage: Arc::clone(&plan.usage),
    };
    let Plan { model, physical, clients, usage, faults } = plan;
    let sources = EventSources::start(&model, &physical, &clients.sqs, &invoke, &options);
    let options = schedules::Options { region: options.region, account: options.account };
    let schedules = Arc::new(Schedules::of(&model, &invoke, &options));
    let ticking = schedules.start(cli.clock_rate).map_err(|error| error.to_string())?;

    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let ready = format!("ready http://{address} ws://{address}/{}", model.socket.stage);
    let (tell, told) = watch::channel(false);
    let front_stop = wait_for(told);
    let options = front::Options { clock_rate: cli.clock_rate, schedules, usage, faults };
    let mut front =
        tokio::spawn(front::serve(listener, Arc::clone(&model), invoke, options, front_stop));
    // Whoever started us may not read our output; we serve all the same.
    let _ = say(&ready);
    tracing::info!(address = %address, stack = %cli.stack, "ready");

    let ended_early = tokio::select! {
        () = stop => None,
        ended = &mut front => Some(ended),
    };
    tracing::info!("stopping");
    let _ = tell.send(true);
    let front_ends = async {
        match ended_early {
            Some(Ok(Err(error))) => Err(format!("the gateway cannot serve: {error}")),
            Some(_) => Err("the gateway's front has ended by itself".to_owned()),
            None => {
                let _ = tokio::time::timeout(STOP_GRACE, front).await;
                Ok(())
            }
        }
    };
    let (result, (), ()) =
        tokio::join!(front_ends, sources.stop(STOP_GRACE), ticking.stop(STOP_GRACE));
    if let Some(host) = host {
        host.shutdown(STOP_GRACE).await;
    }
    tracing::info!("stopped");
    result
}

async fn wait_for(mut told: watch::Receiver<bool>) {
    // An error means that nobody can tell any more, which is a stop too.
    let _ = told.wait_for(|stop| *stop).await;
}

type Functions = (Arc<dyn Invoke>, Option<Arc<Host>>);

fn functions(cli: &Cli, plan: &Plan, max_processes: usize) -> Result<Functions, String> {
    let model = &plan.model;
    if let Some(url) = &cli.invoke {
        let remote = RemoteFunctions::at(url, model.functions.keys().cloned());
        let metered = Metered::new(remote, Arc::clone(&plan.usage), model);
        return Ok((Arc::new(metered), None));
    }
    let binaries = absolute(&cli.binaries)
        .map_err(|error| format!("--binaries {}: {error}", cli.binaries.display()))?;
    let options = host::Options {
        binaries,
        max_processes,
        idle_limit: IDLE_LIMIT,
        environment: cli.process_environment(),
        region: cli.aws_region.clone(),
        account: ACCOUNT.to_owned(),
        usage: Arc::clone(&plan.usage),
        faults: Arc::clone(&plan.faults),
    };
    let host = Host::start(&model.functions, &options)
        .map_err(|error| format!("functions cannot be started here: {error}"))?;
    let missing = host.missing_binaries();
    if !missing.is_empty() {
        let missing = missing.join(" ");
        tracing::warn!(missing, "not built yet: cargo build makes them; until then they fail");
    }
    let host = Arc::new(host);
    Ok((Arc::clone(&host) as Arc<dyn Invoke>, Some(host)))
}

/// Ready at Ctrl-C, at SIGTERM, when the terminal is closed and, if wanted, when standard input
/// closes.
fn stop_requested(with_stdin: bool) -> Result<impl Future<Output = ()>, String> {
    let listen = |kind| signal(kind).map_err(|error| format!("signals cannot be heard: {error}"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let stdin_closed = with_stdin.then(stdin_closes);
    Ok(async move {
        let stdin_closed = async {
            match stdin_closed {
                Some(closed) => drop(closed.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            () = stdin_closed => {}
        }
    })
}

/// A thread of its own, because tokio's would keep the process from ending while it reads.
fn stdin_closes() -> oneshot::Receiver<()> {
    let (tell, closed) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut ignored = [0; 1024];
        let mut input = std::io::stdin().lock();
        while input.read(&mut ignored).is_ok_and(|count| count > 0) {}
        // Dropping it is the message.
        drop(tell);
    });
    closed
}
