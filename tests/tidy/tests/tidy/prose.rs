//! What the documents for people say of the code: codes, tests, files.

use std::collections::BTreeSet;
use std::path::Path;

use crate::repository::{assert_none, files_under, read, root, rust_files};

/// What stands before the text of a code, white space aside.
const OPENERS: [&str; 11] = [
    "Invalid::new(",
    "refused(",
    "conflict(",
    "code:",
    "=>(",
    "(400,",
    "(413,",
    "(422,",
    "(429,",
    "(500,",
    "(503,",
];
/// Of these, every text is a code, wherever it stands.
const PREFIXES: [&str; 2] = ["invalid_", "too_many_"];
/// Longer names in `docs/delivery.md` are names of tests.
const TEST_NAME_MIN_CHARACTERS: usize = 24;

fn is_code(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
    text.len() > 3 && text.chars().all(is_word)
}

/// The codes that one source file can answer, its tests aside.
fn codes_of(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    // A quotation mark inside a text or a character neither opens nor closes one.
    let source = source.replace(r"\\", "").replace(r#"\""#, "").replace(r#"'"'"#, "");
    let mut before = String::new();
    let mut codes = Vec::new();
    for (index, part) in source.split('"').enumerate() {
        let is_text = index % 2 == 1;
        let is_opened = || OPENERS.iter().any(|opener| before.ends_with(opener));
        let has_prefix = || PREFIXES.iter().any(|prefix| part.starts_with(prefix));
        if is_text && is_code(part) && (is_opened() || has_prefix()) {
            codes.push(part.to_owned());
        }
        before = part.split_whitespace().collect();
    }
    codes
}

/// What stands between single backticks, anywhere in a text.
fn quoted(text: &str) -> BTreeSet<String> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_code_that_a_client_can_meet_is_explained() {
    let explained = quoted(&read("docs/errors.md"));
    let mut answered: BTreeSet<String> = ["domain", "service", "protocol", "transport"]
        .iter()
        .flat_map(|name| files_under(&format!("shared/{name}/src")))
        .flat_map(|file| codes_of(&file.text))
        .collect();
    let rejections = [
        domain::Rejection::NotAMember,
        domain::Rejection::Blocked,
        domain::Rejection::InvalidMessage,
        domain::Rejection::Quarantined,
    ];
    answered.extend(rejections.map(|rejection| rejection.code().to_owned()));
    assert!(answered.len() > 40, "the codes are no longer found: {answered:?}");
    let missing: Vec<_> = answered.difference(&explained).cloned().collect();
    assert_none("explain these codes in docs/errors.md", &missing);
}

#[test]
fn every_code_that_is_explained_exists() {
    let sources: String =
        files_under("shared").into_iter().map(|file| file.text).collect::<Vec<_>>().join("\n");
    let rows = read("docs/errors.md");
    let first_cells = rows.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let gone: Vec<_> = first_cells
        .filter(|code| !sources.contains(&format!("\"{code}\"")))
        .map(str::to_owned)
        .collect();
    assert_none("docs/errors.md explains codes that nothing answers", &gone);
}

#[test]
fn every_test_that_the_delivery_document_names_exists() {
    let code: String =
        rust_files().into_iter().map(|file| file.text).collect::<Vec<_>>().join("\n");
    let named = quoted(&read("docs/delivery.md"));
    let names: Vec<_> = named
        .into_iter()
        .filter(|name| name.len() >= TEST_NAME_MIN_CHARACTERS && is_code(name))
        .collect();
    assert!(names.len() > 20, "the names are no longer found: {names:?}");
    let missing: Vec<_> =
        names.into_iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert_none("docs/delivery.md names tests that do not exist", &missing);
}

#[test]
fn every_file_that_a_document_names_exists() {
    let mut documents = files_under("docs");
    for name in ["README.md", "ARCHITECTURE.md"] {
        documents.push(crate::repository::File { path: name.to_owned(), text: read(name) });
    }
    let mut missing = Vec::new();
    for document in documents.iter().filter(|document| document.has_extension("md")) {
        let is_path = |text: &&String| {
            let first = text.split('/').next().unwrap_or_default();
            let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let tops = ["functions", "shared", "scripts", "docs", "infra", "localstack", "tests"];
            text.contains('/') && is_plain && tops.contains(&first)
        };
        let named = quoted(&document.text);
        let gone = named.iter().filter(is_path).filter(|path| !root().join(path).exists());
        missing.extend(gone.map(|path| format!("{}: {path}", document.path)));
    }
    assert_none("documents name files that do not exist", &missing);
}

/// What the links of a document point to, other sites aside.
fn link_targets(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.map(|target| target.split('#').next().unwrap_or_default())
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let documents = files_under("").into_iter().filter(|file| file.has_extension("md"));
    let mut missing = Vec::new();
    for document in documents {
        let folder = root().join(&document.path).parent().map(Path::to_owned).unwrap_or_default();
        let of_ours = |target: &&str| !target.is_empty() && !target.contains("://");
        let gone = link_targets(&document.text)
            .filter(of_ours)
            .filter(|target| !folder.join(target).exists());
        missing.extend(gone.map(|target| format!("{}: {target}", document.path)));
    }
    assert_none("links that lead nowhere", &missing);
}

#[test]
fn every_script_is_in_the_readme() {
    let shown = quoted(&read("README.md"));
    let scripts = files_under("scripts").into_iter().filter(|file| !file.has_extension("py"));
    let missing: Vec<_> =
        scripts.map(|file| file.path).filter(|path| !shown.contains(path)).collect();
    assert_none("list these scripts in README.md", &missing);
}
