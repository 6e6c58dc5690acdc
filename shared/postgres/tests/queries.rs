//! Every statement fits the tables.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::TestDatabase;

fn crate_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut found): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found.sort();
    found
}

#[tokio::test]
async fn every_statement_can_be_prepared_on_the_migrated_tables() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let files = files(&crate_root().join("queries"));
    assert!(!files.is_empty());
    for file in files {
        let sql = std::fs::read_to_string(&file).unwrap();
        let prepared = client.prepare(&sql).await;
        assert!(prepared.is_ok(), "{}: {prepared:?}", file.display());
    }
}

/// Planned apart, it would run for each row without a plan for what it is given.
#[tokio::test]
async fn what_the_list_and_the_feed_share_is_planned_inside_of_them() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let statements = [
        ("listed", "conversations/list", "uuid, timestamptz, uuid, bigint, bigint, bigint"),
        ("changed", "sync/changed_since", "uuid, timestamptz, uuid, bigint, bigint, bigint"),
    ];
    for (name, file, types) in statements {
        let sql = crate_root().join("queries").join(file).with_extension("sql");
        let sql = std::fs::read_to_string(sql).unwrap();
        assert!(sql.contains("glance_at_conversation("), "{file} says it for itself");
        client.batch_execute(&format!("PREPARE {name} ({types}) AS {sql}")).await.unwrap();
        let explain = format!(
            "EXPLAIN EXECUTE {name} ('00000000-0000-4000-8000-000000000001', NULL, NULL, 50, 9, 9)"
        );
        let plan: Vec<String> =
            client.query(&explain, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(" on messages"), "{file}:\n{plan}");
        assert!(!plan.contains("Function Scan"), "{file}:\n{plan}");
    }
}

#[test]
fn every_statement_is_used_and_opens_with_its_row_shape() {
    let source = std::fs::read_to_string(crate_root().join("src/query.rs")).unwrap();
    let quoted: BTreeSet<&str> = source.split('"').collect();
    let root = crate_root().join("queries");
    for file in files(&root) {
        let name = file.strip_prefix(&root).unwrap().with_extension("");
        let name = name.to_str().unwrap();
        assert!(quoted.contains(name), "src/query.rs does not include {name}.sql");
        let sql = std::fs::read_to_string(&file).unwrap();
        let opening: String = sql.lines().take_while(|line| line.starts_with("--")).collect();
        assert!(opening.contains("Row:"), "{name}.sql does not open with its row shape");
        assert!(sql.lines().all(|line| line.len() <= 100), "{name}.sql has a long line");
    }
}
