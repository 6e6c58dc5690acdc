//! The database's secret in the form that RDS writes.

use serde_json::json;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

const DEFAULT_PORT: u16 = 5432;

/// Why a `DATABASE_URL` cannot be used; says nothing of its content, which holds a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDatabaseUrl {
    #[error("DATABASE_URL is not a Postgres URL, such as postgres://user:password@host:5432/name")]
    Form,
    #[error("DATABASE_URL names no {0}")]
    Missing(&'static str),
}

/// `{"host", "port", "username", "password", "dbname", "sslmode"}` as JSON.
pub fn from_url(url: &str) -> Result<String, BadDatabaseUrl> {
    let config: Config = url.parse().map_err(|_| BadDatabaseUrl::Form)?;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(directory)) => directory.display().to_string(),
        None => return Err(BadDatabaseUrl::Missing("host")),
    };
    let user = config.get_user().ok_or(BadDatabaseUrl::Missing("user"))?;
    let password = config.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let secret = json!({
        "host": host,
        "port": config.get_ports().first().copied().unwrap_or(DEFAULT_PORT),
        "username": user,
        "password": password.unwrap_or_default(),
        "dbname": config.get_dbname().unwrap_or(user),
        "sslmode": if config.get_ssl_mode() == SslMode::Require { "require" } else { "disable" },
    });
    Ok(secret.to_string())
}

#[cfg(test)]
mod tests {
    use super::{BadDatabaseUrl, from_url};
    use serde_json::{Value, json};

    #[test]
    fn a_url_becomes_the_secret_that_rds_writes() {
        let secret = from_url("postgres://me:p%40ss@127.0.0.1:5555/chat").unwrap();
        let expected = json!({
            "host": "127.0.0.1", "port": 5555, "username": "me", "password": "p@ss",
            "dbname": "chat", "sslmode": "disable",
        });
        assert_eq!(serde_json::from_str::<Value>(&secret).unwrap(), expected);
    }

    #[test]
    fn a_url_that_is_none_is_refused_without_repeating_its_password() {
        assert_eq!(from_url("postgres://me:secret@[/"), Err(BadDatabaseUrl::Form));
        assert_eq!(from_url("postgres:///chat"), Err(BadDatabaseUrl::Missing("host")));
        assert!(!from_url("https://me:secret@host/").unwrap_err().to_string().contains("secret"));
    }
}
