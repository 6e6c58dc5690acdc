//! YAML as JSON. A short tag becomes an object (`!Ref X` → `{"Ref": "X"}`), so nothing is lost.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::repository;

pub fn read(path: &str) -> Value {
    parse(path, &repository::read(path))
}

pub fn parse(path: &str, text: &str) -> Value {
    let documents =
        Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{path} is not YAML: {error}"));
    assert_eq!(documents.len(), 1, "{path} must be one YAML document");
    value(path, &documents[0])
}

fn value(path: &str, node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(|item| value(path, item)).collect(),
        Yaml::Mapping(entries) => entries
            .iter()
            .map(|(key, entry)| (key_text(value(path, key)), value(path, entry)))
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Tagged(tag, inner) => json!({ tag.suffix.as_str(): value(path, inner) }),
        other => panic!("{path} holds something that is not plain YAML: {other:?}"),
    }
}

fn key_text(key: Value) -> String {
    match key {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
