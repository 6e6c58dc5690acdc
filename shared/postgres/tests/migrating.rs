//! Bringing a database up to date.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

mod support;

use std::process::Output;

use postgres::{MigrateError, bound_role_timeouts, migrate};
use support::{TestDatabase, connect, server};
use tokio::process::Command;

async fn run_program(url: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_migrate"));
    program.env_clear().args(["--database-url", url]).output().await.unwrap()
}

fn url(config: &postgres::DatabaseConfig) -> String {
    let postgres::DatabaseConfig { host, port, username, password, dbname, .. } = config;
    format!("postgres://{username}:{password}@{host}:{port}/{dbname}")
}

#[tokio::test]
async fn migrating_twice_changes_nothing_the_second_time() {
    let database = TestDatabase::empty().await;
    let applied = migrate(&database.config).await.unwrap();
    let versions: Vec<_> = applied.iter().map(|one| one.version).collect();
    // Gaps are fine: branches are merged that have numbers of their own.
    assert_eq!(versions.first(), Some(&1));
    assert!(versions.is_sorted_by(|one, next| one < next), "{versions:?}");
    assert_eq!(migrate(&database.config).await.unwrap(), []);
}

#[tokio::test]
async fn two_programs_at_once_apply_each_migration_once() {
    let database = TestDatabase::empty().await;
    let (one, other) = tokio::join!(migrate(&database.config), migrate(&database.config));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.is_empty() != other.is_empty(), "{one:?} {other:?}");
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let database = TestDatabase::empty().await;
    let name = format!("{}_latin1", database.config.dbname);
    let admin = connect(&server()).await;
    let create = format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    admin.batch_execute(&create).await.unwrap();
    let config = postgres::DatabaseConfig { dbname: name.clone(), ..server() };
    let refused = migrate(&config).await;
    admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    assert!(matches!(refused, Err(MigrateError::Encoding(_))), "{refused:?}");
}

#[tokio::test]
async fn the_program_migrates_says_what_it_did_and_bounds_the_role() {
    let database = TestDatabase::empty().await;
    let role = format!("{}_role", database.config.dbname);
    let admin = connect(&server()).await;
    let create = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'secret word';
        GRANT ALL ON DATABASE {} TO {role}",
        database.config.dbname
    );
    admin.batch_execute(&create).await.unwrap();
    let grant = format!("GRANT ALL ON SCHEMA public TO {role}");
    database.connect().await.batch_execute(&grant).await.unwrap();
    let config = postgres::DatabaseConfig {
        username: role.clone(),
        password: "secret word".into(),
        ..database.config.clone()
    };

    let output = run_program(&url(&config).replace(' ', "%20")).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("applied V1 accounts") && said.contains("is up to date"), "{said}");
    assert!(!format!("{output:?}").contains("secret"));
    bound_role_timeouts(&config).await.unwrap();

    let client = connect(&config).await;
    for setting in ["statement_timeout", "idle_in_transaction_session_timeout"] {
        let row = client.query_one(&format!("SHOW {setting}"), &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "10s", "{setting}");
    }
    drop(client);
    drop(database);
    admin.batch_execute(&format!("DROP ROLE {role}")).await.unwrap();
}

#[tokio::test]
async fn programs_that_bound_the_role_at_once_wait_for_each_other() {
    let [one, other] = [TestDatabase::empty().await, TestDatabase::empty().await];
    let mut work = tokio::task::JoinSet::new();
    for database in [&one, &other].repeat(8) {
        let config = database.config.clone();
        work.spawn(async move { bound_role_timeouts(&config).await });
    }
    for bounded in work.join_all().await {
        bounded.unwrap();
    }
}

#[tokio::test]
async fn the_program_says_what_to_do_about_a_bad_url() {
    for bad in ["", "hunter2", "postgres://ada:hunter2@db"] {
        let output = run_program(bad).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("must look like") && said.contains("run it again"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_user_that_the_server_does_not_know_is_not_waited_for() {
    let config = postgres::DatabaseConfig { username: "confab_nobody".into(), ..server() };
    let waiting = |error: &postgres::DatabaseError| panic!("waits for {error}");
    let patience = std::time::Duration::from_secs(30);
    let outcome = postgres::wait_until_ready(&config, patience, waiting).await;
    assert!(matches!(outcome, Err(MigrateError::Database(_))), "{outcome:?}");
}
