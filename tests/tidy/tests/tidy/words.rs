//! Words that this repository does without.

use crate::repository::{File, assert_none, files_under, rust_files};

/// A type that is called so does not say its role.
const EMPTY_SUFFIXES: [&str; 3] = ["Manager", "Helper", "Impl"];
const EMPTY_FILES: [&str; 6] = ["util", "utils", "common", "misc", "helper", "helpers"];

/// This file spells out what it forbids.
fn others() -> impl Iterator<Item = File> {
    let generated = ["Cargo.lock", "package-lock.json"];
    files_under("")
        .into_iter()
        .filter(move |file| !generated.contains(&file.name()) && !file.path.ends_with("words.rs"))
}

fn lines_with(files: impl Iterator<Item = File>, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if wanted(line) {
                found.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    found
}

/// The words of a line of code: letters, digits and underscores.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
}

#[test]
fn names_say_role_and_unit() {
    let declares = |line: &str| {
        let mut before = "";
        for word in words(line) {
            let is_type = ["struct", "enum", "trait", "type"].contains(&before);
            let is_module = before == "mod" && EMPTY_FILES.contains(&word);
            if is_module || is_type && EMPTY_SUFFIXES.iter().any(|end| word.ends_with(end)) {
                return true;
            }
            before = word;
        }
        false
    };
    assert_none("find a name that says the role", &lines_with(rust_files().into_iter(), &declares));

    let files = files_under("").into_iter().filter(|file| EMPTY_FILES.contains(&file.stem()));
    let files: Vec<String> = files.map(|file| file.path).collect();
    assert_none("find a name for these files", &files);
}

#[test]
fn nothing_is_left_to_be_done_later_in_a_comment() {
    let later = |line: &str| words(line).any(|word| ["TODO", "FIXME", "XXX"].contains(&word));
    assert_none("do it, or open an issue", &lines_with(others(), &later));
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    let machine = |line: &str| {
        ["/work/", "/root/", "/home/", "/Users/"].iter().any(|path| {
            line.match_indices(path).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|letter| letter.is_alphanumeric() || "._-}".contains(letter))
            })
        })
    };
    assert_none("paths start at the repository", &lines_with(others(), &machine));
}

#[test]
fn no_file_names_the_host_of_a_registry() {
    let hosts = [
        "pypi.org",
        "pythonhosted.org",
        "index.crates.io",
        "static.crates.io",
        "registry.npmjs.org",
        "deb.debian.org",
        "docker.io/",
        "ghcr.io",
        "proxy.golang.org",
    ];
    let named = |line: &str| hosts.iter().any(|host| line.contains(host));
    assert_none("the tools know where their packages are", &lines_with(others(), &named));
}

#[test]
fn every_test_runs() {
    let ignored = |line: &str| line.trim_start().starts_with("#[ignore");
    assert_none("an ignored test is no test", &lines_with(rust_files().into_iter(), &ignored));
}

#[test]
fn time_chance_and_environment_are_read_only_at_the_edge() {
    // Tests and tools are processes of their own; what is deployed reads them in one crate.
    let deployed = ["functions/", "shared/"];
    let edges = ["shared/transport/", "shared/testkit/", "shared/postgres/src/bin/"];
    let inner = rust_files().into_iter().filter(|file| {
        deployed.iter().any(|part| file.path.starts_with(part))
            && !edges.iter().any(|edge| file.path.starts_with(edge))
            && !file.path.contains("/tests/")
    });
    let allows = |line: &str| line.contains("disallowed_methods");
    assert_none("make it a parameter", &lines_with(inner, &allows));
}
