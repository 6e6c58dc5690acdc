//! What a role may do in the table is what its functions do there, kind of item by kind of item.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::environment;
use crate::permissions::{list, role_of, statements};
use crate::reach::{Services, Use};
use crate::repository::{assert_none, files_under};
use crate::template::Template;

/// Actions of DynamoDB, each with the keys of its items.
type Calls = &'static [(&'static str, &'static str)];

/// A method of a port that `shared/aws/src/table` implements, and what it calls there.
const CALLS: [(&str, &str, Calls); 25] = [
    ("ConnectionStore", "open", OPENING),
    ("ConnectionStore", "get", &[("GetItem", "C#*")]),
    ("ConnectionStore", "touch", &[("GetItem", "C#*"), ("UpdateItem", "U#*")]),
    ("ConnectionStore", "close", &[("DeleteItem", "C#*"), ("UpdateItem", "U#*")]),
    ("ConnectionStore", "prune", &[("UpdateItem", "U#*")]),
    ("ConnectionStore", "end_session", &[("UpdateItem", "U#*")]),
    ("ConnectionStore", "of_users", &[("BatchGetItem", "U#*")]),
    ("PresenceStore", "set", &[("UpdateItem", "C#*"), ("UpdateItem", "U#*"), ("GetItem", "U#*")]),
    ("PresenceStore", "of_users", &[("BatchGetItem", "U#*")]),
    ("PresenceStore", "announce", &[("UpdateItem", "U#*")]),
    ("PresenceStore", "watch", &[("BatchWriteItem", "W#*")]),
    ("PresenceStore", "watchers", &[("Query", "W#*")]),
    ("PresenceStore", "end_watches", PARTING),
    ("TicketStore", "issue", &[("PutItem", "T#*")]),
    ("TicketStore", "redeem", &[("DeleteItem", "T#*")]),
    ("RateLimiter", "take", &[("GetItem", "R#*"), ("UpdateItem", "R#*")]),
    ("SendGate", "of_connection", ADMITTING),
    ("SendGate", "is_member", &[("GetItem", "V#*")]),
    ("MembershipCopies", "write", &[("UpdateItem", "V#*")]),
    ("LiveErasure", "erase", ERASING),
    ("LiveErasure", "residue", &[("GetItem", "U#*"), ("Query", "W#*")]),
    ("KeyDirectory", "keys", &[("GetItem", "K#jwks")]),
    ("KeyDirectory", "publish", &[("UpdateItem", "K#jwks")]),
    // It publishes its key before it signs.
    ("TokenSigner", "sign", &[("UpdateItem", "K#jwks")]),
    ("Probe", "check", &[("GetItem", "PROBE")]),
];

const OPENING: Calls =
    &[("BatchGetItem", "U#*"), ("PutItem", "C#*"), ("UpdateItem", "U#*"), ("DeleteItem", "C#*")];
const PARTING: Calls =
    &[("BatchGetItem", "U#*"), ("BatchGetItem", "W#*"), ("BatchWriteItem", "W#*")];
const ADMITTING: Calls = &[("BatchGetItem", "C#*"), ("BatchGetItem", "V#*"), ("GetItem", "V#*")];
const ERASING: Calls = &[
    ("UpdateItem", "U#*"),
    ("PutItem", "U#*"),
    ("DeleteItem", "C#*"),
    ("Query", "W#*"),
    ("BatchWriteItem", "W#*"),
];

type Call = (String, String);

fn calls_of(port: &str) -> Vec<(&'static str, Calls)> {
    let own = CALLS.iter().filter(|(of_port, ..)| *of_port == port);
    own.map(|(_, method, calls)| (*method, *calls)).collect()
}

/// What these uses come to: at least, where the code names the method, and at most.
fn calls<'a>(uses: impl Iterator<Item = &'a Use>) -> (BTreeSet<Call>, BTreeSet<Call>) {
    let (mut least, mut most) = (BTreeSet::new(), BTreeSet::new());
    for (port, method) in uses {
        let known = calls_of(port);
        let is_certain = known.len() == 1 || known.iter().any(|(name, _)| name == method);
        for (_, calls) in known.iter().filter(|(name, _)| name == method || method == "*") {
            let calls =
                calls.iter().map(|(action, keys)| ((*action).to_owned(), (*keys).to_owned()));
            most.extend(calls.clone());
            if is_certain {
                least.extend(calls);
            }
        }
    }
    (least, most)
}

fn granted(statements: &[Value]) -> BTreeSet<Call> {
    let mut found = BTreeSet::new();
    for statement in statements {
        let keys = list(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
        for action in list(&statement["Action"]) {
            let Some(action) = action.as_str().and_then(|own| own.strip_prefix("dynamodb:")) else {
                continue;
            };
            let keys = keys.iter().filter_map(Value::as_str);
            found.extend(keys.map(|keys| (action.to_owned(), keys.to_owned())));
        }
    }
    found
}

#[test]
fn a_role_may_do_in_the_table_what_its_functions_do_and_no_more() {
    let template = Template::read();
    let entries = Services::read().entries();
    let verified = environment::entries();
    let mut offences = Vec::new();
    for function in template.functions() {
        let name = &function.binary;
        let uses = entries.get(name).into_iter().flat_map(|entry| &entry.uses);
        let (mut least, mut most) = calls(uses);
        if verified.get(name).is_some_and(|(is_verified, _)| *is_verified) {
            let keys = ("GetItem".to_owned(), "K#jwks".to_owned());
            least.insert(keys.clone());
            most.insert(keys);
        }
        let granted = granted(&statements(&template, role_of(&function)));
        for (action, keys) in least.difference(&granted) {
            offences.push(format!("{name} needs {action} on {keys}"));
        }
        for (action, keys) in granted.difference(&most) {
            offences.push(format!("{name} never does {action} on {keys}"));
        }
    }
    assert_none("template.yaml, roles", &offences);
}

/// Else a new method of the table could be granted to nobody, or to anybody.
#[test]
fn every_method_of_the_table_is_listed_with_its_calls() {
    let mut offences = Vec::new();
    for file in files_under("shared/aws/src/table") {
        for part in file.text.split("\nimpl ").skip(1) {
            let Some((port, methods)) = part.split_once(" for LiveTable {\n") else { continue };
            let methods = methods.split("\n}\n").next().unwrap_or_default();
            for method in methods.split("\n    async fn ").skip(1) {
                let method = method.split('(').next().unwrap_or_default();
                if !calls_of(port).iter().any(|(name, _)| *name == method) {
                    offences.push(format!("{}: {port}::{method}", file.path));
                }
            }
        }
    }
    assert_none("say here what it calls", &offences);
}
