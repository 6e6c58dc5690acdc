//! Finds resources that refer to each other in a circle. CloudFormation refuses them, and so must
//! we: resolving one would never end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Problem;

type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// At most one problem: the first circle by name.
pub(super) fn find(root: &Value) -> Option<Problem> {
    let resources = root.get("Resources")?.as_object()?;
    let mut graph = Graph::new();
    for (id, body) in resources {
        let mut references = BTreeSet::new();
        collect(body, &mut references);
        references.retain(|name| resources.contains_key(*name));
        graph.insert(id, references);
    }
    // Leaves are taken away until only circles, and what leads to them, are left.
    loop {
        let leaves: Vec<&str> =
            graph.iter().filter(|(_, uses)| uses.is_empty()).map(|(id, _)| *id).collect();
        if leaves.is_empty() {
            break;
        }
        for leaf in leaves {
            graph.remove(leaf);
            graph.values_mut().for_each(|uses| {
                uses.remove(leaf);
            });
        }
    }
    let (first, _) = graph.first_key_value()?;
    let circle = walk(&graph, first);
    Some(Problem {
        at: circle.first().map(|id| (*id).to_owned()).unwrap_or_default(),
        text: format!("resources refer to each other in a circle: {}", circle.join(" → ")),
    })
}

/// Every node left has a way on, so walking ends at a node seen before.
fn walk<'a>(graph: &Graph<'a>, start: &'a str) -> Vec<&'a str> {
    let mut path = vec![start];
    loop {
        let Some(next) = path.last().and_then(|id| graph.get(id)).and_then(BTreeSet::first) else {
            return path;
        };
        let seen = path.iter().position(|id| id == next);
        path.push(next);
        if let Some(begin) = seen {
            return path.split_off(begin);
        }
    }
}

fn collect<'a>(value: &'a Value, into: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(map) => {
            for (key, inner) in map {
                match (key.as_str(), inner) {
                    ("Ref", Value::String(name)) => {
                        into.insert(name);
                    }
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        into.extend(parts.first().and_then(Value::as_str));
                    }
                    ("Fn::GetAtt", Value::String(text)) => {
                        into.extend(text.split('.').next());
                    }
                    ("Fn::Sub", Value::String(text)) => into.extend(placeholders(text)),
                    ("DependsOn", Value::String(name)) => {
                        into.insert(name);
                    }
                    ("DependsOn", Value::Array(names)) => {
                        into.extend(names.iter().filter_map(Value::as_str));
                    }
                    _ => collect(inner, into),
                }
                if let ("Fn::Sub", Value::Array(parts)) = (key.as_str(), inner) {
                    into.extend(
                        parts.first().and_then(Value::as_str).into_iter().flat_map(placeholders),
                    );
                }
            }
        }
        _ => {}
    }
}

/// The resources named in a `Sub` text: `${Queue.Arn}` names `Queue`.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| {
        let name = rest.split('}').next()?;
        name.split('.').next().map(str::trim)
    })
}
