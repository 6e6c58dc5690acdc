//! Each function gets the variables that its service is made of, and no others.
//!
//! `functions/<area>/src/<function>.rs` says `http::serve(connect::messages, …)`; what
//! `transport/connect.rs` and its parts read for it, directly or through what they call, is
//! followed here.

use std::collections::{BTreeMap, BTreeSet};

use crate::repository::{assert_none, files_under, read};
use crate::template::Template;

/// The functions of connect.rs and of the files under it by name, each with its text.
pub fn makers() -> BTreeMap<String, String> {
    let mut sources = vec![read("shared/transport/src/connect.rs")];
    sources.extend(files_under("shared/transport/src/connect").into_iter().map(|file| file.text));
    let mut found = BTreeMap::new();
    for source in &sources {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        for part in code.split("fn ").skip(1) {
            let is_part_of_name = |c: &char| c.is_alphanumeric() || *c == '_';
            let name: String = part.chars().take_while(is_part_of_name).collect();
            found.insert(name, part.to_owned());
        }
    }
    found
}

fn calls(text: &str, name: &str) -> bool {
    text.match_indices(&format!("{name}(")).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        // `Type::new(` is a constructor; makers are called bare or as methods of the parts.
        at > 0 && !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// The variables that a maker reads, with those of the makers that it calls.
fn variables(makers: &BTreeMap<String, String>, start: &str) -> BTreeSet<String> {
    let mut waiting = vec![start.to_owned()];
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        let Some(text) = makers.get(&name).filter(|_| seen.insert(name.clone())) else { continue };
        for rest in text.split("name::").skip(1) {
            found
                .insert(rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect());
        }
        waiting.extend(makers.keys().filter(|other| calls(text, other)).cloned());
    }
    found
}

/// Of each function: whether its caller is verified, and the maker of its service.
pub fn entries() -> BTreeMap<String, (bool, String)> {
    let mut found = BTreeMap::new();
    for file in files_under("functions") {
        let Some((entry, rest)) = file.text.split_once("(connect::") else { continue };
        let maker = rest.split([',', ')']).next().unwrap_or_default().trim().to_owned();
        let is_verified = entry.ends_with("http::serve");
        found.insert(file.stem().replace('_', "-"), (is_verified, maker));
    }
    found
}

#[test]
fn every_function_gets_exactly_the_variables_that_its_service_is_made_of() {
    let template = Template::read();
    let makers = makers();
    let entries = entries();
    let mut offences = Vec::new();
    for function in template.functions() {
        let Some((is_verified, maker)) = entries.get(&function.binary) else {
            offences.push(format!("{}: no entry `…(connect::…` was found", function.binary));
            continue;
        };
        assert!(makers.contains_key(maker), "connect.rs has no {maker}");
        let mut needed = variables(&makers, maker);
        if *is_verified {
            needed.extend(variables(&makers, "token_verifier"));
        }
        needed.insert("LOG_LEVEL".to_owned());
        let given: BTreeSet<String> = template.environment(&function).into_keys().collect();
        for missing in needed.difference(&given) {
            offences.push(format!("{} needs {missing}", function.binary));
        }
        for surplus in given.difference(&needed) {
            offences.push(format!("{} does not use {surplus}", function.binary));
        }
    }
    assert_none("template.yaml, Environment", &offences);
}
