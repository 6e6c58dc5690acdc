//! The template's parameters: their defaults, and the values given on the command line.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{DATABASE_SECRET_PARAMETER, Problem};

#[derive(Debug)]
pub(super) struct Parameters {
    /// `None` is a parameter without a default that nobody gave; it is an error only when used.
    values: BTreeMap<String, Option<Value>>,
    /// Given by the user, so not replaced by the gateway's own database secret.
    overridden: Vec<String>,
}

impl Parameters {
    pub(super) fn read(root: &Value, overrides: &BTreeMap<String, String>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut values = BTreeMap::new();
        let declared = root.get("Parameters").and_then(Value::as_object);
        for (name, body) in declared.into_iter().flatten() {
            let given = overrides.get(name).cloned().map(Value::String);
            let chosen = given.or_else(|| body.get("Default").cloned());
            if let Some(problem) = chosen.as_ref().and_then(|value| refused(name, body, value)) {
                problems.push(problem);
            }
            values.insert(name.clone(), chosen.map(|value| typed(body, &value)));
        }
        let known: Vec<&str> = values.keys().map(String::as_str).collect();
        for name in overrides.keys().filter(|name| !values.contains_key(*name)) {
            problems.push(Problem {
                at: format!("Parameters.{name}"),
                text: format!("there is no such parameter; there are {}", known.join(", ")),
            });
        }
        let overridden = overrides.keys().cloned().collect();
        (Self { values, overridden }, problems)
    }

    pub(super) fn declares(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub(super) fn get(&self, name: &str, database_secret_arn: Option<&str>) -> Option<Value> {
        let is_ours = name == DATABASE_SECRET_PARAMETER
            && !self.overridden.iter().any(|overridden| overridden == name);
        match database_secret_arn {
            Some(arn) if is_ours => Some(Value::from(arn)),
            _ => self.values.get(name).cloned().flatten(),
        }
    }
}

fn refused(name: &str, body: &Value, value: &Value) -> Option<Problem> {
    let given = text(value);
    let refusal = not_allowed(body, &given).or_else(|| not_in_range(body, &given));
    refusal.map(|text| Problem { at: format!("Parameters.{name}"), text })
}

fn not_allowed(body: &Value, given: &str) -> Option<String> {
    let allowed: Vec<String> = body.get("AllowedValues")?.as_array()?.iter().map(text).collect();
    let is_allowed = allowed.iter().any(|one| one == given);
    (!is_allowed).then(|| format!("{given} is not one of {}", allowed.join(", ")))
}

fn not_in_range(body: &Value, given: &str) -> Option<String> {
    if body.get("Type").and_then(Value::as_str) != Some("Number") {
        return None;
    }
    let Ok(number) = given.parse::<f64>() else {
        return Some(format!("{given} is not a number"));
    };
    let limit = |name: &str| body.get(name).and_then(|limit| text(limit).parse::<f64>().ok());
    match (limit("MinValue"), limit("MaxValue")) {
        (Some(least), _) if number < least => Some(format!("{given} is below {least}")),
        (_, Some(most)) if number > most => Some(format!("{given} is above {most}")),
        _ => None,
    }
}

/// A parameter is a text, or a list of texts for the list types.
fn typed(body: &Value, value: &Value) -> Value {
    let kind = body.get("Type").and_then(Value::as_str).unwrap_or("String");
    let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
    match text(value) {
        all if is_list && all.is_empty() => Value::Array(Vec::new()),
        all if is_list => all.split(',').map(|item| Value::from(item.trim())).collect(),
        all => Value::String(all),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
