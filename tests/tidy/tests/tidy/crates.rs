//! Who may depend on whom, from `cargo metadata`.
//!
//! ```text
//! functions → transport → {postgres, aws} → service → domain
//! functions, transport, aws → protocol → domain
//! ```

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::repository::{assert_none, root};

/// A crate under `shared/` and the crates of ours that it may use.
const SHARED: [(&str, &[&str]); 7] = [
    ("domain", &[]),
    ("service", &["domain"]),
    ("protocol", &["domain"]),
    ("postgres", &["domain", "service"]),
    ("aws", &["domain", "protocol", "service"]),
    ("transport", &["aws", "domain", "postgres", "protocol", "service"]),
    ("testkit", &["domain", "service"]),
];
const AREA: &[&str] = &["domain", "protocol", "service", "transport"];
const TOOLS: [(&str, &[&str]); 6] = [
    ("gateway", &[]),
    // What is said, and nothing of how it is answered.
    ("client", &["protocol"]),
    // Its benchmark measures the commit transaction without the rest.
    ("harness", &["client", "domain", "postgres", "protocol", "service"]),
    ("acceptance", &["harness", "protocol"]),
    ("simulation", &[]),
    ("tidy", &[]),
];
/// The core knows no vendor, no wire format and no runtime of ours.
const VENDORS: [&str; 12] = [
    "aws-",
    "aws_",
    "axum",
    "http",
    "hyper",
    "jsonwebtoken",
    "lambda",
    "refinery",
    "reqwest",
    "rustls",
    "tokio-",
    "tungstenite",
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata must work here")
}

fn is_area(package: &Package) -> bool {
    package.manifest_path.as_str().contains("/functions/")
}

fn dependencies(package: &Package, kind: DependencyKind) -> BTreeSet<String> {
    let of_kind = package.dependencies.iter().filter(|dependency| dependency.kind == kind);
    of_kind.map(|dependency| dependency.name.clone()).collect()
}

fn allowed(package: &Package) -> &'static [&'static str] {
    if is_area(package) {
        return AREA;
    }
    let name = package.name.as_str();
    let row = SHARED.iter().chain(&TOOLS).find(|(known, _)| *known == name);
    row.map(|(_, allowed)| *allowed)
        .unwrap_or_else(|| panic!("the crate {name} is not drawn in tests/tidy; where is it?"))
}

#[test]
fn crates_depend_on_each_other_as_the_architecture_draws_it() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let mut offences = Vec::new();
    for package in &metadata.packages {
        let allowed = allowed(package);
        for used in dependencies(package, DependencyKind::Normal) {
            if ours.contains(used.as_str()) && !allowed.contains(&used.as_str()) {
                offences.push(format!("{} → {used}", package.name));
            }
        }
    }
    assert_none("these edges are not in ARCHITECTURE.md", &offences);
}

#[test]
fn what_is_made_for_tests_is_used_by_tests_only() {
    let metadata = metadata();
    let mut offences = Vec::new();
    for package in &metadata.packages {
        for kind in [DependencyKind::Normal, DependencyKind::Build] {
            let used = dependencies(package, kind);
            let for_tests = ["testkit", "harness", "acceptance", "tidy", "proptest"];
            let used: Vec<_> = for_tests.iter().filter(|name| used.contains(**name)).collect();
            // The generators of the properties live in the kit, the cast of stories beside them.
            let is_for_tests = ["testkit", "acceptance"].contains(&package.name.as_str());
            if !used.is_empty() && !is_for_tests {
                offences.push(format!("{} uses {used:?} outside its tests", package.name));
            }
        }
    }
    assert_none("test crates belong under [dev-dependencies]", &offences);
}

#[test]
fn the_core_knows_no_vendor_and_no_transport() {
    let metadata = metadata();
    let mut offences = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let mut banned: Vec<&str> = Vec::new();
        match name {
            "domain" => {
                banned.extend(VENDORS);
                banned.extend(["serde", "tokio", "futures", "async-trait", "tracing"]);
            }
            "service" | "protocol" | "testkit" => banned.extend(VENDORS),
            _ => continue,
        }
        if name == "service" {
            banned.push("serde");
        }
        for used in dependencies(package, DependencyKind::Normal) {
            if banned.iter().any(|ban| used.starts_with(ban)) {
                offences.push(format!("{name} uses {used}"));
            }
        }
    }
    assert_none("the core must compile without these", &offences);
}

#[test]
fn a_binary_is_no_test_of_its_own() {
    let metadata = metadata();
    let mut offences = Vec::new();
    for package in &metadata.packages {
        let binaries = package.targets.iter().filter(|target| target.is_bin());
        offences
            .extend(binaries.filter(|b| b.test).map(|b| format!("{} in {}", b.name, package.name)));
    }
    assert_none("say `test = false`: each would link a test program for nothing", &offences);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let mut offences = Vec::new();
    for package in &metadata().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            offences.push(package.name.to_string());
        }
    }
    assert_none("these crates miss `[lints] workspace = true`", &offences);
}
