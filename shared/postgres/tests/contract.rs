//! Postgres keeps what the ports promise.

mod support;

use support::TestDatabase;

testkit::history_contract!(TestDatabase::migrated().await);
