//! One screen: functions ≤ 50 lines, files ≤ 400, columns ≤ 100, scripts ≤ 60 lines.

use crate::repository::{assert_none, files_under, read, rust_files};

const MAX_FILE_LINES: usize = 400;
const MAX_COLUMNS: usize = 100;
const MAX_SCRIPT_LINES: usize = 60;

#[test]
fn no_file_of_code_is_longer_than_400_lines() {
    let mut offences = Vec::new();
    for file in rust_files() {
        let lines = file.text.lines().count();
        if lines > MAX_FILE_LINES {
            offences.push(format!("{} has {lines} lines", file.path));
        }
    }
    assert_none("split these files", &offences);
}

#[test]
fn no_line_of_code_is_wider_than_100_columns() {
    let mut offences = Vec::new();
    for file in rust_files() {
        for (number, line) in file.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > MAX_COLUMNS {
                offences.push(format!("{}:{}: {columns} columns", file.path, number + 1));
            }
        }
    }
    assert_none("break these lines", &offences);
}

#[test]
fn no_script_is_longer_than_60_lines() {
    let mut offences = Vec::new();
    for file in files_under("scripts") {
        let lines = file.text.lines().count();
        if lines > MAX_SCRIPT_LINES {
            offences.push(format!("{} has {lines} lines", file.path));
        }
    }
    assert_none("a script is one verb; move work into a tool", &offences);
}

/// Clippy counts the lines of functions; this only makes sure that it is asked to.
#[test]
fn functions_longer_than_50_lines_are_a_lint() {
    let clippy = read("clippy.toml");
    assert!(clippy.contains("too-many-lines-threshold = 50"), "clippy.toml must say 50 lines");
    let manifest = read("Cargo.toml");
    let is_on = ["too_many_lines = \"deny\"", "too_many_lines = \"warn\""]
        .iter()
        .any(|line| manifest.contains(line));
    assert!(is_on, "Cargo.toml, [workspace.lints.clippy]: `too_many_lines = \"deny\"` is missing");
}
