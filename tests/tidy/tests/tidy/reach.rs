//! What the code of a function can come to: the ports of its service, and their methods.
//!
//! `users/src/list_blocks.rs` says `blocks.list(…)`; what `Blocks::list` mentions of `self` is
//! followed here, through the services that it is made of. Where the text alone cannot tell
//! (a service that is handed on whole, a port under a local name), it comes to all of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::environment;
use crate::repository::{assert_none, files_under};

/// A port and one of its methods; `*` is any of them.
pub type Use = (String, String);

/// A service or a desk of `connect/`: its fields with their types, its methods with their text.
#[derive(Default)]
struct Service {
    fields: Vec<(String, String)>,
    methods: BTreeMap<String, String>,
}

/// All services of the composition root, by name.
pub struct Services(BTreeMap<String, Service>);

/// What an entry is: the service that it is given, and what it comes to.
pub struct Entry {
    pub service: String,
    pub uses: BTreeSet<Use>,
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn name_at(text: &str) -> &str {
    text.split(|letter| !is_name(letter)).next().unwrap_or_default()
}

/// The text up to the brace that closes what begins with it, which rustfmt puts in its column.
fn block<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or(text, |(inside, _)| inside)
}

/// What is mentioned of `owner` (`self.hangup.end_session(` is `hangup`, `end_session`); nothing
/// in a path is the whole.
fn paths(text: &str, owner: &str) -> Vec<Vec<String>> {
    let joined: Vec<&str> = text.split('.').map(str::trim_end).collect();
    let text = joined.join(".");
    let mut found = Vec::new();
    for (at, _) in text.match_indices(owner) {
        let before = text[..at].chars().next_back();
        let mut rest = &text[at + owner.len()..];
        if before.is_some_and(|c| is_name(c) || c == '.') || rest.starts_with(is_name) {
            continue;
        }
        let mut path = Vec::new();
        while let Some(after) = rest.strip_prefix('.') {
            let name = name_at(after);
            if name.is_empty() || name == "await" {
                break;
            }
            path.push(name.to_owned());
            rest = &after[name.len()..];
        }
        found.push(path);
    }
    found
}

impl Services {
    pub fn read() -> Self {
        let mut services = Self(BTreeMap::new());
        for directory in ["shared/service/src", "shared/transport/src/connect"] {
            let files = files_under(directory);
            for file in files.iter().filter(|file| !file.path.contains("/port/")) {
                services.note(file.text.split("#[cfg(test)]").next().unwrap_or_default());
            }
        }
        services
    }

    fn note(&mut self, code: &str) {
        for part in code.split("\npub struct ").skip(1).filter(|part| !part.contains("\n\n{")) {
            let Some((name, fields)) = part.split_once(" {\n") else { continue };
            let lines = block(fields, "\n}").lines().filter_map(|line| line.split_once(": "));
            let fields = lines.map(|(field, kind)| {
                let field = field.rsplit(' ').next().unwrap_or_default();
                (field.to_owned(), kind.trim_end_matches(',').to_owned())
            });
            self.0.entry(name.to_owned()).or_default().fields.extend(fields);
        }
        for part in code.split("\nimpl ").skip(1) {
            let Some((name, methods)) = part.split_once(" {\n") else { continue };
            for method in block(methods, "\n}\n").split("fn ").skip(1) {
                let own = &mut self.0.entry(name.to_owned()).or_default().methods;
                let text = method.split_once("\n    }").map_or(method, |(text, _)| text);
                // Without its receiver, which is no use of the whole.
                let text = text.replacen("&self", "", 1);
                own.insert(name_at(method).to_owned(), text);
            }
        }
    }

    /// The service that a type names, if one does.
    fn named_in(&self, kind: &str) -> Option<&str> {
        let names = kind.split(|letter| !is_name(letter));
        names.filter_map(|name| self.0.get_key_value(name)).map(|(name, _)| name.as_str()).next()
    }

    /// Every port that a service is made of.
    pub fn whole(&self, service: &str) -> BTreeSet<Use> {
        let fields = self.0.get(service).map(|service| service.fields.as_slice());
        fields.unwrap_or_default().iter().flat_map(|(_, kind)| self.field(kind, &[])).collect()
    }

    fn field(&self, kind: &str, path: &[String]) -> BTreeSet<Use> {
        if let Some((_, port)) = kind.split_once("dyn ") {
            let is_called = kind.starts_with("Arc<dyn ");
            let method = path.first().filter(|name| is_called && *name != "clone");
            let method = method.map_or("*", |name| name).to_owned();
            return BTreeSet::from([(name_at(port).to_owned(), method)]);
        }
        match self.named_in(kind) {
            Some(service) => self.follow(service, path, &mut BTreeSet::new()),
            None => BTreeSet::new(),
        }
    }

    /// What a path that begins in a service comes to.
    fn follow(
        &self,
        service: &str,
        path: &[String],
        seen: &mut BTreeSet<(String, String)>,
    ) -> BTreeSet<Use> {
        let Some((first, rest)) = path.split_first() else { return self.whole(service) };
        let own = &self.0[service];
        if let Some((_, kind)) = own.fields.iter().find(|(name, _)| name == first) {
            return self.field(kind, rest);
        }
        let Some(text) = own.methods.get(first) else { return self.whole(service) };
        if !seen.insert((service.to_owned(), first.clone())) {
            return BTreeSet::new();
        }
        paths(text, "self").iter().flat_map(|path| self.follow(service, path, seen)).collect()
    }

    /// What each function is given, and what it comes to.
    pub fn entries(&self) -> BTreeMap<String, Entry> {
        let makers = environment::makers();
        let mut found = BTreeMap::new();
        for file in files_under("functions") {
            let Some((_, maker)) = file.text.split_once("(connect::") else { continue };
            let made = makers[name_at(maker)].split_once("-> ").map(|(_, kind)| name_at(kind));
            let Some(service) = made.and_then(|kind| self.named_in(kind)) else { continue };
            let start = format!("fn {}(", file.stem());
            let Some((_, handler)) = file.text.split_once(&start) else { continue };
            let Some((parameter, body)) = handler.split_once(": ") else { continue };
            let mentioned = paths(block(body, "\n}\n"), parameter.trim());
            let uses =
                mentioned.iter().flat_map(|path| self.follow(service, path, &mut BTreeSet::new()));
            let entry = Entry { service: service.to_owned(), uses: uses.collect() };
            found.insert(file.stem().replace('_', "-"), entry);
        }
        found
    }
}

/// The ports behind which a call to AWS stands, or a secret: each costs a permission.
fn granted_ports() -> BTreeSet<String> {
    let mut found = BTreeSet::from(["TokenSigner", "OneTimeCodes"].map(str::to_owned));
    for file in files_under("shared/aws/src") {
        let parts = file.text.split("\nimpl ").skip(1);
        let named = parts.filter_map(|part| part.split_once(" for ")).map(|(port, _)| port);
        found.extend(named.filter(|port| port.chars().all(is_name)).map(str::to_owned));
    }
    found
}

/// A role grants what the service of a function is made of, so a service that is made of more
/// than one function needs makes that function's role wider than its code.
#[test]
fn every_function_comes_to_each_port_that_its_service_is_made_of() {
    let services = Services::read();
    let granted = granted_ports();
    let entries = services.entries();
    assert!(entries.len() > 60, "only {} entries were understood", entries.len());
    let mut offences = Vec::new();
    for (function, Entry { service, uses }) in &entries {
        let used: BTreeSet<_> = uses.iter().map(|(port, _)| port).collect();
        for (port, _) in services.whole(service) {
            if granted.contains(&port) && !used.contains(&port) {
                offences.push(format!("{function} is given {service} and never uses its {port}"));
            }
        }
    }
    assert_none("make a service of what the function uses, in service and connect/", &offences);
}

#[test]
fn a_path_is_read_across_lines_and_a_whole_is_seen() {
    let text =
        "let x = self\n    .hangup\n    .end(&it).await; f(&*self.limiter, myself.y); g(self)";
    let expected: [&[&str]; 3] = [&["hangup", "end"], &["limiter"], &[]];
    assert_eq!(paths(text, "self"), expected);
}
