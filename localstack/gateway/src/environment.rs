//! Prints what the functions would get as environment, for whoever hosts them instead of us.

use std::collections::BTreeMap;

use crate::model::Model;

type Variables = BTreeMap<String, String>;

/// `{"send-message": {"TABLE_NAME": "…"}, …}`.
pub fn as_json(model: &Model, common: &Variables) -> Result<String, serde_json::Error> {
    let functions: BTreeMap<&str, Variables> = model
        .functions
        .values()
        .map(|function| (function.name.as_str(), merged(&function.environment, common)))
        .collect();
    serde_json::to_string_pretty(&functions)
}

/// `KEY=VALUE` lines with the variables of all functions; two functions that want different
/// values under one name cannot share an environment.
pub fn as_union(model: &Model, common: &Variables) -> Result<String, String> {
    let mut union = common.clone();
    let mut conflicts = Vec::new();
    for function in model.functions.values() {
        for (name, value) in merged(&function.environment, common) {
            match union.get(&name) {
                Some(known) if *known != value => {
                    conflicts.push(format!("{name} has another value in {}", function.name));
                }
                _ => {
                    union.insert(name, value);
                }
            }
        }
    }
    let lines = union.iter().map(|(name, value)| format!("{name}={value}"));
    if let Some(broken) = union.iter().find(|(_, value)| value.contains('\n')) {
        conflicts.push(format!("{} has a line break in its value", broken.0));
    }
    if conflicts.is_empty() {
        Ok(lines.collect::<Vec<String>>().join("\n"))
    } else {
        Err(format!("the functions cannot share one environment: {}", conflicts.join("; ")))
    }
}

fn merged(own: &Variables, common: &Variables) -> Variables {
    let mut all = own.clone();
    all.extend(common.clone());
    all
}
