//! The scripts: one verb each, safe by default, explained at the top.

use std::os::unix::fs::PermissionsExt;

use crate::repository::{File, assert_none, files_under, read, root};

fn shell_scripts() -> Vec<File> {
    let mut scripts = files_under("scripts");
    scripts.extend(files_under("localstack"));
    scripts.extend(files_under(".ci"));
    scripts.retain(|file| file.text.starts_with("#!") && file.text.contains("bash"));
    scripts
}

#[test]
fn every_verb_of_the_architecture_is_a_script() {
    let verbs = [
        "start",
        "test",
        "check",
        "watch",
        "migrate",
        "build",
        "deploy",
        "bench",
        "demo",
        "setup",
        "quarantine",
        "mail",
        "redrive",
        "rotate-keys",
    ];
    for verb in verbs {
        read(&format!("scripts/{verb}"));
    }
}

#[test]
fn every_script_stops_at_the_first_failure_and_says_what_it_does() {
    let mut offences = Vec::new();
    for file in shell_scripts() {
        if !file.text.contains("\nset -euo pipefail\n") {
            offences.push(format!("{}: no `set -euo pipefail`", file.path));
        }
        if !file.text.lines().nth(1).is_some_and(|line| line.starts_with("# ")) {
            offences.push(format!("{}: no comment under the first line", file.path));
        }
        let mode = std::fs::metadata(root().join(&file.path)).unwrap().permissions().mode();
        if mode & 0o111 == 0 {
            offences.push(format!("{}: not executable", file.path));
        }
    }
    assert_none("scripts", &offences);
}

#[test]
fn ci_runs_the_readmes_test_command_and_nothing_else() {
    let run = read(".ci/run");
    let commands: Vec<&str> =
        run.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let expected = ["set -euo pipefail", "cd \"$(dirname \"$0\")/..\"", "exec bash scripts/test"];
    assert_eq!(commands, expected);
    assert!(read("README.md").contains("scripts/test"), "README.md must name scripts/test");
}

#[test]
fn every_query_and_migration_opens_with_an_explanation() {
    let sql = files_under("shared/postgres").into_iter().filter(|file| file.has_extension("sql"));
    let silent = sql.filter(|file| !file.text.starts_with("--")).map(|file| file.path);
    assert_none("begin with a comment", &silent.collect::<Vec<_>>());
}
