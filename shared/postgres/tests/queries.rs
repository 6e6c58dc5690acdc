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
