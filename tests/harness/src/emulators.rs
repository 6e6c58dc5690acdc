//! A private Postgres and a private emulator, unless the environment names them.

use std::path::PathBuf;
use std::process::Command;

use crate::environment::{aws_endpoint_url, root_directory, test_database_url};
use crate::{Failure, Result};

/// Stopped with the value when this started them.
pub struct Emulators {
    pub database_url: String,
    pub aws_endpoint_url: String,
    directory: Option<PathBuf>,
}

impl Emulators {
    /// Under `.local/<name>`.
    ///
    /// # Errors
    /// They do not start; the error says what to do.
    pub fn start(name: &str) -> Result<Self> {
        if let (Ok(database_url), Ok(aws_endpoint_url)) = (test_database_url(), aws_endpoint_url())
        {
            return Ok(Self { database_url, aws_endpoint_url, directory: None });
        }
        let directory = root_directory().join(".local").join(name);
        eprintln!("{name}: starting Postgres and the AWS emulator under .local/{name}");
        run("start", &directory)?;
        let path = directory.join("env");
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|e| Failure::cannot(format!("read {}", path.display()), e))?;
        let value = |name: &str| {
            let lines = text.lines().filter_map(|line| line.split_once('='));
            let found = lines.into_iter().find(|(key, _)| *key == name);
            let found = found.map(|(_, value)| value.trim_matches('\'').to_owned());
            found.ok_or_else(|| Failure::new(format!("{} does not name {name}", path.display())))
        };
        Ok(Self {
            database_url: value("DATABASE_URL")?,
            aws_endpoint_url: value("AWS_ENDPOINT_URL")?,
            directory: Some(directory.clone()),
        })
    }
}

impl Drop for Emulators {
    fn drop(&mut self) {
        if let Some(failure) = self.directory.take().and_then(|at| run("stop", &at).err()) {
            eprintln!("{failure}");
        }
    }
}

fn run(verb: &str, directory: &PathBuf) -> Result<()> {
    let mut script = Command::new(root_directory().join("scripts/emulators"));
    script.arg(verb).arg(directory).env_remove("DATABASE_URL").env_remove("AWS_ENDPOINT_URL");
    let status = script.status().map_err(|e| Failure::cannot("run scripts/emulators", e))?;
    let why = "scripts/emulators failed; scripts/setup installs what it needs";
    status.success().then_some(()).ok_or_else(|| Failure::new(why))
}
