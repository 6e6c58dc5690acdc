//! Brings the tables of a database up to date.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use postgres::DatabaseConfig;

/// A database that starts with the program needs some seconds.
const PATIENCE: Duration = Duration::from_secs(30);

const WHAT_TO_DO: &str = "Check --database-url (or DATABASE_URL), that the server runs and that \
    the user may create tables there; then run it again.";

/// Brings the tables of Confab's database up to date and bounds the role's statements to 10 s.
#[derive(Parser)]
#[command(name = "migrate")]
struct Arguments {
    /// postgres://user:password@host:port/name, with ?sslmode=require for TLS.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.database_url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("migrate: {}", sentence(error.as_ref()));
            eprintln!("{WHAT_TO_DO}");
            ExitCode::FAILURE
        }
    }
}

async fn run(url: &str) -> Result<(), Box<dyn Error>> {
    let config = DatabaseConfig::from_url(url)?;
    let place = format!("{}:{}/{}", config.host, config.port, config.dbname);
    let waiting = |error: &postgres::DatabaseError| eprintln!("waiting for {place}: {error}");
    postgres::wait_until_ready(&config, PATIENCE, waiting).await?;
    let applied = postgres::migrate(&config).await?;
    for migration in &applied {
        println!("applied V{} {}", migration.version, migration.name);
    }
    postgres::bound_role_timeouts(&config).await?;
    println!("{place} is up to date ({} applied now)", applied.len());
    Ok(())
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
