//! Starts processes from one thread that lives as long as the gateway.
//!
//! A child must not outlive the gateway, not even when the gateway is killed without a chance to
//! clean up. The kernel does that (`PR_SET_PDEATHSIG`), but it watches the *thread* that started
//! the child, and tokio's threads come and go. `setpriv` sets it, because doing so ourselves
//! would take unsafe code.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::pool::Spec;

struct Order {
    command: Command,
    started: oneshot::Sender<io::Result<Child>>,
}

#[derive(Clone)]
pub(super) struct Starter {
    orders: mpsc::Sender<Order>,
    setpriv: Option<PathBuf>,
}

impl Starter {
    /// `path` is searched for `setpriv`. Needs a tokio runtime.
    pub(super) fn start(path: &str) -> io::Result<Self> {
        let setpriv = find(path, "setpriv");
        if setpriv.is_none() {
            tracing::warn!(
                "setpriv (util-linux) is missing: a killed gateway would leave processes"
            );
        }
        let (orders, taken) = mpsc::channel::<Order>();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new().name("process-starter".to_owned()).spawn(move || {
            let _inside = runtime.enter();
            for mut order in taken {
                // Nobody waits any more only while the gateway stops; the child ends by its drop.
                let _ = order.started.send(order.command.spawn());
            }
        })?;
        Ok(Self { orders, setpriv })
    }

    /// Starts the function's binary; its Runtime API is at `api`.
    pub(super) async fn spawn(&self, spec: &Spec, api: &str) -> io::Result<Child> {
        let command = self.command(spec, api);
        let (started, starting) = oneshot::channel();
        let stopped = || io::Error::other("the gateway is stopping");
        self.orders.send(Order { command, started }).map_err(|_| stopped())?;
        starting.await.map_err(|_| stopped())?
    }

    fn command(&self, spec: &Spec, api: &str) -> Command {
        let mut command = match &self.setpriv {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(&spec.binary);
                command
            }
            None => Command::new(&spec.binary),
        };
        command
            .env_clear()
            .envs(&spec.environment)
            .env("AWS_LAMBDA_RUNTIME_API", api)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal is for the gateway, which then lets events finish.
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

fn find(path: &str, program: &str) -> Option<PathBuf> {
    let candidates = path.split(':').filter(|directory| !directory.is_empty());
    candidates.map(|directory| Path::new(directory).join(program)).find(|file| file.is_file())
}
