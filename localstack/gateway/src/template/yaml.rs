//! YAML with CloudFormation's short tags → JSON with its long names (`!Ref X` → `{"Ref": "X"}`),
//! so that everything after this file knows one spelling.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// Deeper than any sensible template, shallow enough for every stack.
const MAX_DEPTH: usize = 64;

pub(super) fn read(text: &str) -> Result<Value, String> {
    let documents =
        Yaml::load_from_str(text).map_err(|error| format!("the template is not YAML: {error}"))?;
    let [document] = documents.as_slice() else {
        return Err(format!("the template must be one YAML document, not {}", documents.len()));
    };
    let root = json(document, 0)?;
    if root.is_object() { Ok(root) } else { Err("the template is not a YAML mapping".to_owned()) }
}

fn json(node: &Yaml<'_>, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the template is nested more than {MAX_DEPTH} levels deep"));
    }
    match node {
        Yaml::Value(scalar) => Ok(value(scalar)),
        Yaml::Sequence(items) => items.iter().map(|item| json(item, depth + 1)).collect(),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, entry) in entries {
                map.insert(key_text(key)?, json(entry, depth + 1)?);
            }
            Ok(Value::Object(map))
        }
        Yaml::Tagged(tag, inner) if tag.handle == "!" => {
            Ok(long_form(&tag.suffix, json(inner, depth + 1)?))
        }
        Yaml::Tagged(tag, _) => Err(format!("the tag {}{} is not known", tag.handle, tag.suffix)),
        Yaml::Alias(_) => Err("YAML aliases are not supported".to_owned()),
        Yaml::Representation(raw, ..) => Ok(Value::String(raw.to_string())),
        Yaml::BadValue => Err("the template holds a value that YAML cannot read".to_owned()),
    }
}

fn key_text(key: &Yaml<'_>) -> Result<String, String> {
    match key {
        Yaml::Value(scalar) => Ok(match value(scalar) {
            Value::String(text) => text,
            other => other.to_string(),
        }),
        _ => Err("a key of the template is not plain text".to_owned()),
    }
}

fn value(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Bool(*flag),
        Scalar::Integer(number) => Value::from(*number),
        Scalar::FloatingPoint(number) => Value::from(number.into_inner()),
        Scalar::String(text) => Value::String(text.to_string()),
    }
}

fn long_form(tag: &str, argument: Value) -> Value {
    let (name, argument) = match (tag, argument) {
        ("Ref" | "Condition", argument) => (tag.to_owned(), argument),
        ("GetAtt", Value::String(text)) => {
            let (resource, attribute) = text.split_once('.').unwrap_or((&text, ""));
            ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute]))
        }
        (other, argument) => (format!("Fn::{other}"), argument),
    };
    Value::Object(Map::from_iter([(name, argument)]))
}
