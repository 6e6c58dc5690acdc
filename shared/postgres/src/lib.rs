//! Where truth is kept: accounts, conversations and history in Postgres.
//!
//! SQL is in `queries/`, the tables and the reasons for their constraints in `migrations/`.

mod accounts;
mod append;
mod blocks;
mod changes;
mod config;
mod contacts;
mod conversations;
mod counted;
mod credentials;
mod cursor;
mod database;
mod erasure;
mod error;
mod export;
mod group_change;
mod group_write;
mod groups;
mod invites;
mod messages;
mod migrate;
mod opening;
mod people;
mod probe;
mod query;
mod receipts;
mod row;
mod sessions;
mod sync;
mod sync_cursor;
mod traces;
mod two_factor;
mod upkeep;

pub use accounts::PgAccounts;
pub use config::{DatabaseConfig, InvalidDatabaseUrl};
pub use contacts::PgPeople;
pub use conversations::PgConversations;
pub use database::Database;
pub use erasure::PgErasure;
pub use error::DatabaseError;
pub use groups::PgGroups;
pub use messages::PgMessages;
pub use migrate::{Applied, MigrateError, bound_role_timeouts, migrate, wait_until_ready};
pub use probe::PgProbe;
pub use receipts::PgReceipts;
pub use traces::PgTraces;
pub use upkeep::PgUpkeep;
