//! Where truth is kept: accounts, conversations and history in Postgres.
//!
//! SQL is in `queries/`, the tables and the reasons for their constraints in `migrations/`.

mod accounts;
mod append;
mod config;
mod conversations;
mod cursor;
mod database;
mod error;
mod messages;
mod migrate;
mod opening;
mod probe;
mod query;
mod row;
mod sessions;

pub use accounts::PgAccounts;
pub use config::{DatabaseConfig, InvalidDatabaseUrl};
pub use conversations::PgConversations;
pub use database::Database;
pub use error::DatabaseError;
pub use messages::PgMessages;
pub use migrate::{Applied, MigrateError, bound_role_timeouts, migrate, wait_until_ready};
pub use probe::PgProbe;
