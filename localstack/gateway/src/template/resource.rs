//! One resource of the template, and typed access to its properties.

use serde_json::Value;

use super::scope::Scope;

#[derive(Clone, Copy)]
pub(super) struct Resource<'a> {
    pub(super) id: &'a str,
    pub(super) kind: &'a str,
    body: &'a Value,
    pub(super) scope: &'a Scope<'a>,
}

impl<'a> Resource<'a> {
    pub(super) fn new(id: &'a str, body: &'a Value, scope: &'a Scope<'a>) -> Self {
        let kind = body.get("Type").and_then(Value::as_str).unwrap_or("");
        Self { id, kind, body, scope }
    }

    pub(super) fn exists(&self) -> bool {
        match self.body.get("Condition").and_then(Value::as_str) {
            Some(condition) => self.scope.condition(condition, self.id).unwrap_or(false),
            None => true,
        }
    }

    pub(super) fn has(&self, property: &str) -> bool {
        self.raw(property).is_some()
    }

    /// The property as it stands in the template.
    pub(super) fn raw(&self, property: &str) -> Option<&'a Value> {
        self.body.get("Properties")?.get(property)
    }

    pub(super) fn at(&self, property: &str) -> String {
        format!("{}.{property}", self.id)
    }

    pub(super) fn problem(&self, property: &str, text: impl Into<String>) {
        self.scope.problem(self.at(property), text);
    }

    /// The resolved property; `None` when it is absent, or wrong and reported.
    pub(super) fn value(&self, property: &str) -> Option<Value> {
        let resolved = self.scope.resolve(self.raw(property)?, &self.at(property))?;
        (!resolved.is_null()).then_some(resolved)
    }

    pub(super) fn text(&self, property: &str) -> Option<String> {
        match self.value(property)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => {
                self.problem(property, "must be a text");
                None
            }
        }
    }

    pub(super) fn required_text(&self, property: &str) -> Option<String> {
        if !self.has(property) {
            self.problem(property, "is missing");
        }
        self.text(property)
    }

    /// A whole number; a text of digits counts, because parameters are texts.
    pub(super) fn number(&self, property: &str) -> Option<u32> {
        let value = self.value(property)?;
        let number = whole_number(&value);
        if number.is_none() {
            self.problem(property, format!("{value} is not a whole number"));
        }
        number
    }

    pub(super) fn texts(&self, property: &str) -> Vec<String> {
        match self.value(property) {
            Some(value) => texts(&value),
            None => Vec::new(),
        }
    }
}

pub(super) fn whole_number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A list of texts; a single text is a list of one, as CloudFormation takes it.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}
