//! Watches one process from its start to its end.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::process::Child;

use super::pool::Pool;
use super::process::{End, Process};
use super::{lines, runtime_api};

/// Lambda's own limit for a start.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// How long a process that was asked to end may take.
const ASK_LIMIT: Duration = Duration::from_secs(1);

/// How often it is looked whether the process is idle for too long.
const IDLE_CHECK: Duration = Duration::from_secs(15);

pub(super) async fn supervise(pool: Arc<Pool>, id: u64) {
    let process = Arc::new(Process::new(id));
    let why = match watch(&pool, &process).await {
        Ok(why) | Err(why) => why,
    };
    process.has_ended();
    if !process.is_ready() && !process.is_condemned() {
        tracing::error!(function = %pool.spec().function.name, "{why}");
    }
    pool.left(id, process.is_ready(), &why);
}

/// How the process ended, or why it could not start.
async fn watch(pool: &Arc<Pool>, process: &Arc<Process>) -> Result<String, String> {
    let spec = pool.spec();
    let name = &spec.function.name;
    if !spec.binary.is_file() {
        return Err(format!("{} does not exist; build it with cargo build", spec.binary.display()));
    }
    let failed = |error: std::io::Error| format!("{name} cannot be started: {error}");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
    let api = listener.local_addr().map_err(failed)?.to_string();
    let listener = listener.tap_io(|stream| {
        // Without it answers wait for the other side's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
    });
    let router = runtime_api::router(Arc::clone(pool), Arc::clone(process));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let started = pool.starter().spawn(spec, &api).await;
    let result = match started {
        Ok(mut child) => {
            process.set_pid(child.id().unwrap_or(0));
            pool.joined(process);
            if pool.is_closed() && pool.is_at_rest() {
                process.end();
            }
            let looks = [(); 2].map(|()| (Arc::clone(pool), Arc::clone(process)));
            let [out, err] =
                looks.map(|(pool, process)| move |line: &[u8]| pool.printed(&process, line));
            lines::pass_on(child.stdout.take(), out);
            lines::pass_on(child.stderr.take(), err);
            Ok(until_the_end(pool, process, &mut child).await)
        }
        Err(error) => Err(failed(error)),
    };
    server.abort();
    result
}

async fn until_the_end(pool: &Pool, process: &Process, child: &mut Child) -> String {
    let name = &pool.spec().function.name;
    let mut idle_check = tokio::time::interval(IDLE_CHECK.min(pool.spec().idle_limit));
    let init_limit = tokio::time::sleep(INIT_LIMIT);
    tokio::pin!(init_limit);
    let mut init_is_watched = true;
    loop {
        tokio::select! {
            status = child.wait() => return described(name, process, status),
            how = process.end_requested() => {
                let status = end(child, how).await;
                return described(name, process, status);
            }
            () = &mut init_limit, if init_is_watched => {
                init_is_watched = false;
                if !process.is_ready() {
                    let _ = end(child, End::Kill).await;
                    return format!("{name} asked for no work within {INIT_LIMIT:?}");
                }
            }
            _ = idle_check.tick() => {
                if pool.retire_if_idle(process.id()) {
                    process.end();
                }
            }
        }
    }
}

async fn end(child: &mut Child, how: End) -> std::io::Result<ExitStatus> {
    if how == End::Ask {
        ask_to_end(child);
        if let Ok(status) = tokio::time::timeout(ASK_LIMIT, child.wait()).await {
            return status;
        }
    }
    child.start_kill()?;
    child.wait().await
}

fn ask_to_end(child: &Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        // It has ended already if this fails; the caller waits for it in any case.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

fn described(name: &str, process: &Process, status: std::io::Result<ExitStatus>) -> String {
    let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    let when = if process.is_ready() { "ended" } else { "ended before it asked for work" };
    format!("{name} {when} ({how}); its own log lines say why")
}
