//! Where the database is and who we are to it.

use std::fmt;

use tokio_postgres::config::{Host, SslMode};

/// How to reach one database.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseConfig {
    pub host: String,
    pub port: u16,
    pub username: String,
    pub password: String,
    pub dbname: String,
    /// Encrypt, and check the server's certificate and name against the authorities of the system
    /// and of the package.
    pub ssl: bool,
}

/// The text is not the URL of a database. It may hold a password, so it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database URL {reason}; it must look like \
     postgres://user:password@host:5432/name, with ?sslmode=require for TLS"
)]
pub struct InvalidDatabaseUrl {
    reason: &'static str,
}

impl DatabaseConfig {
    /// Reads `postgres://user:password@host:port/name?sslmode=require`.
    pub fn from_url(url: &str) -> Result<Self, InvalidDatabaseUrl> {
        let invalid = |reason| InvalidDatabaseUrl { reason };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(invalid("does not begin with postgres://"));
        }
        let parsed: tokio_postgres::Config = url.parse().map_err(|_| invalid("cannot be read"))?;
        let [Host::Tcp(host)] = parsed.get_hosts() else {
            return Err(invalid("does not name one host"));
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec());
        let password = text(parsed.get_password().unwrap_or_default());
        Ok(Self {
            host: host.clone(),
            port: parsed.get_ports().first().copied().unwrap_or(5432),
            username: parsed.get_user().ok_or(invalid("names no user"))?.to_owned(),
            password: password.map_err(|_| invalid("has a password that is not UTF-8"))?,
            dbname: parsed.get_dbname().ok_or(invalid("names no database"))?.to_owned(),
            ssl: parsed.get_ssl_mode() == SslMode::Require,
        })
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("username", &self.username)
            .field("password", &"…")
            .field("dbname", &self.dbname)
            .field("ssl", &self.ssl)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_with_its_escapes() {
        let config =
            DatabaseConfig::from_url("postgres://ada:p%40ss@db.example:6000/chat?sslmode=require");
        let expected = DatabaseConfig {
            host: "db.example".into(),
            port: 6000,
            username: "ada".into(),
            password: "p@ss".into(),
            dbname: "chat".into(),
            ssl: true,
        };
        assert_eq!(config, Ok(expected));
    }

    #[test]
    fn the_port_and_tls_may_be_left_out() {
        let config = DatabaseConfig::from_url("postgresql://ada@127.0.0.1/chat").unwrap();
        assert_eq!((config.port, config.ssl), (5432, false));
    }

    #[test]
    fn a_bad_url_is_refused_without_repeating_it() {
        for url in [
            "",
            "hunter2",
            "host=hunter2",
            "mysql://ada:hunter2@db/chat",
            "postgres://ada:hunter2@db:port/chat",
            "postgres://ada:hunter2@a,b/chat",
            "postgres://ada:hunter2@db",
            "postgres://db/chat?hunter2=1",
            "postgres://ada:%ff@db/chat",
        ] {
            let refused = DatabaseConfig::from_url(url).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{url}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let config = DatabaseConfig::from_url("postgres://ada:hunter2@db/chat").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
