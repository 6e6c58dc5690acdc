//! A Postgres of a test's own, to be stopped in the middle of things.

use std::path::PathBuf;
use std::process::Command;

use crate::environment::root_directory;
use crate::{Failure, Result, unique_id, unique_name};

/// One private cluster; it ends with the value and leaves nothing behind.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    url: String,
}

impl Cluster {
    /// # Errors
    /// Postgres is not installed, or cannot start; the error has its words.
    pub async fn start() -> Result<Self> {
        let directory = std::env::temp_dir().join(unique_name("confab-postgres"));
        // Below the ports that outgoing connections get: one of those would take it while the
        // cluster is stopped, and it would not come back at the same address.
        let port = 20_000 + unique_id().as_u128() % 12_000;
        let noted = std::fs::create_dir_all(&directory)
            .and_then(|()| std::fs::write(directory.join("port"), port.to_string()));
        noted.map_err(|e| Failure::cannot("choose a port for Postgres", e))?;
        let url = run("start", &directory).await?;
        Ok(Self { directory, url })
    }

    /// A superuser's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends every connection at once, as a fail-over does, and comes back at the same address.
    ///
    /// # Errors
    /// It does not come back.
    pub async fn restart(&self) -> Result<()> {
        run("restart", &self.directory).await.map(|_| ())
    }

    /// # Errors
    /// It does not stop.
    pub async fn stop(&self) -> Result<()> {
        run("stop", &self.directory).await.map(|_| ())
    }

    /// After [`Self::stop`], at the same address.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_again(&self) -> Result<()> {
        run("start", &self.directory).await.map(|_| ())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The test has its result already; what cannot be stopped or removed is only untidy.
        let _ = command("stop", &self.directory).output();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn command(verb: &str, directory: &PathBuf) -> Command {
    let mut command = Command::new(root_directory().join("localstack/postgres.sh"));
    command.arg(verb).arg(directory);
    command
}

/// The script's last line.
async fn run(verb: &'static str, directory: &PathBuf) -> Result<String> {
    let mut command = command(verb, directory);
    let ran = tokio::task::spawn_blocking(move || command.output()).await;
    let ran = ran.map_err(|e| Failure::cannot("wait for Postgres", e))?;
    let output = ran.map_err(|e| Failure::cannot("run localstack/postgres.sh", e))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::cannot(format!("{verb} a private Postgres"), words));
    }
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(words.lines().last().unwrap_or_default().to_owned())
}
