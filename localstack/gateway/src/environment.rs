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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Variables, as_union};
    use crate::model::{Function, HttpApi, Model, Resources, SocketApi};

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn model(functions: &[(&str, &[(&str, &str)])]) -> Model {
        let function = |(name, environment): &(&str, &[(&str, &str)])| Function {
            name: (*name).to_owned(),
            environment: variables(environment),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            reserved_concurrency: None,
        };
        Model {
            functions: functions.iter().map(function).map(|f| (f.name.clone(), f)).collect(),
            http: HttpApi::default(),
            socket: SocketApi::default(),
            event_sources: Vec::new(),
            schedules: Vec::new(),
            resources: Resources::default(),
        }
    }

    #[test]
    fn functions_that_agree_share_an_environment() {
        let model = model(&[("one", &[("A", "1"), ("B", "2")]), ("two", &[("B", "2")])]);
        let union = as_union(&model, &variables(&[("C", "3")])).unwrap();
        assert_eq!(union, "A=1\nB=2\nC=3");
    }

    #[test]
    fn functions_that_disagree_do_not() {
        let model = model(&[("one", &[("A", "1")]), ("two", &[("A", "2")])]);
        let refusal = as_union(&model, &Variables::new()).unwrap_err();
        assert!(refusal.ends_with("A has another value in two"), "{refusal}");
    }

    #[test]
    fn a_value_of_several_lines_has_no_place_in_a_list_of_lines() {
        let model = model(&[("one", &[("A", "1\nB=2")])]);
        assert!(as_union(&model, &Variables::new()).is_err());
    }
}
