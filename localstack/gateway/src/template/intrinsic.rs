//! Resolves intrinsic functions. Every failure is reported where it stands and yields `None`;
//! the siblings are resolved all the same, so that one run shows every mistake.

use serde_json::{Map, Value};

use super::resource::texts;
use super::scope::Scope;

/// Conditions that refer to conditions; more than this is a circle.
const MAX_REFERENCES_DEEP: usize = 50;

impl Scope<'_> {
    /// `Value::Null` stands for `AWS::NoValue`.
    pub(super) fn resolve(&self, value: &Value, at: &str) -> Option<Value> {
        match value {
            Value::Array(items) => {
                let resolved: Vec<Option<Value>> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.resolve(item, &format!("{at}[{index}]")))
                    .collect();
                let all: Option<Vec<Value>> = resolved.into_iter().collect();
                Some(Value::Array(all?.into_iter().filter(|item| !item.is_null()).collect()))
            }
            Value::Object(map) => match intrinsic_of(map) {
                Some((name, argument)) => self.call(name, argument, at),
                None => self.resolve_map(map, at),
            },
            plain => Some(plain.clone()),
        }
    }

    fn resolve_map(&self, map: &Map<String, Value>, at: &str) -> Option<Value> {
        let resolved: Vec<(String, Option<Value>)> = map
            .iter()
            .map(|(key, value)| (key.clone(), self.resolve(value, &format!("{at}.{key}"))))
            .collect();
        let mut whole = Map::new();
        for (key, value) in resolved {
            let value = value?;
            if !value.is_null() {
                whole.insert(key, value);
            }
        }
        Some(Value::Object(whole))
    }

    fn call(&self, name: &str, argument: &Value, at: &str) -> Option<Value> {
        match (name, argument) {
            ("Ref", Value::String(target)) => self.reference(target, at),
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Map::new(), at),
            ("Fn::Sub", Value::Array(parts)) => self.substitute_with(parts, at),
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(id), Value::String(name)] => self.attribute(id, name, at),
                _ => self.wrong(at, "GetAtt needs a resource and one of its attributes"),
            },
            ("Fn::GetAtt", Value::String(text)) => {
                let (id, name) = text.split_once('.').unwrap_or((text, ""));
                self.attribute(id, name, at)
            }
            ("Fn::Join", Value::Array(parts)) => self.join(parts, at),
            ("Fn::Split", Value::Array(parts)) => self.split(parts, at),
            ("Fn::Select", Value::Array(parts)) => self.select(parts, at),
            ("Fn::If", Value::Array(parts)) => self.choose(parts, at),
            ("Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" | "Condition", _) => {
                self.truth(&Value::Object(single(name, argument)), at).map(Value::Bool)
            }
            ("Fn::ImportValue", _) => {
                self.wrong(at, "ImportValue: no other stack exports anything here; use a parameter")
            }
            _ => self.wrong(
                at,
                &format!(
                    "{name} is an intrinsic function that the gateway does not know in this form"
                ),
            ),
        }
    }

    fn wrong<T>(&self, at: &str, text: &str) -> Option<T> {
        self.problem(at, text);
        None
    }

    fn substitute_with(&self, parts: &[Value], at: &str) -> Option<Value> {
        let [Value::String(text), Value::Object(given)] = parts else {
            return self.wrong(at, "Sub needs a text and a mapping");
        };
        match self.resolve_map(given, at)? {
            Value::Object(given) => self.substitute(text, &given, at),
            _ => None,
        }
    }

    fn substitute(&self, text: &str, given: &Map<String, Value>, at: &str) -> Option<Value> {
        let mut whole = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            whole.push_str(rest.get(..start).unwrap_or_default());
            let inner = rest.get(start + 2..).unwrap_or_default();
            let Some((name, after)) = inner.split_once('}') else {
                return self.wrong(at, "Sub has a ${ without its }");
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                whole.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let name = name.trim();
            let value = match (given.get(name), name.split_once('.')) {
                (Some(value), _) => Some(value.clone()),
                (None, Some((id, attribute))) => self.attribute(id, attribute, at),
                (None, None) => self.reference(name, at),
            };
            whole.push_str(&texts(&value?).join(","));
        }
        whole.push_str(rest);
        Some(Value::String(whole))
    }

    fn join(&self, parts: &[Value], at: &str) -> Option<Value> {
        let [Value::String(delimiter), list] = parts else {
            return self.wrong(at, "Join needs a delimiter and a list");
        };
        Some(Value::String(texts(&self.resolve(list, at)?).join(delimiter)))
    }

    fn split(&self, parts: &[Value], at: &str) -> Option<Value> {
        let [Value::String(delimiter), source] = parts else {
            return self.wrong(at, "Split needs a delimiter and a text");
        };
        match self.resolve(source, at)? {
            Value::String(text) if !delimiter.is_empty() => {
                Some(text.split(delimiter.as_str()).map(Value::from).collect())
            }
            _ => self.wrong(at, "Split needs a delimiter and a text"),
        }
    }

    fn select(&self, parts: &[Value], at: &str) -> Option<Value> {
        let [index, list] = parts else {
            return self.wrong(at, "Select needs an index and a list");
        };
        let index = super::resource::whole_number(&self.resolve(index, at)?);
        let list = self.resolve(list, at)?;
        let chosen = index
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| list.as_array()?.get(index).cloned());
        chosen.or_else(|| self.wrong(at, "Select points outside its list"))
    }

    fn choose(&self, parts: &[Value], at: &str) -> Option<Value> {
        let [Value::String(condition), then, otherwise] = parts else {
            return self.wrong(at, "If needs a condition and two values");
        };
        let chosen = if self.condition(condition, at)? { then } else { otherwise };
        self.resolve(chosen, at)
    }

    /// The value of a named condition.
    pub(super) fn condition(&self, name: &str, at: &str) -> Option<bool> {
        let Some(body) = self.section("Conditions").and_then(|all| all.get(name)) else {
            return self.wrong(at, &format!("there is no condition {name}"));
        };
        if self.depth.get() > MAX_REFERENCES_DEEP {
            return self.wrong(at, &format!("the condition {name} refers to itself in a circle"));
        }
        self.depth.set(self.depth.get() + 1);
        let truth = self.truth(body, &format!("Conditions.{name}"));
        self.depth.set(self.depth.get() - 1);
        truth
    }

    fn truth(&self, value: &Value, at: &str) -> Option<bool> {
        let call = value.as_object().and_then(intrinsic_of);
        match call {
            Some(("Condition", Value::String(name))) => self.condition(name, at),
            Some(("Fn::Equals", Value::Array(sides))) => match sides.as_slice() {
                [left, right] => {
                    Some(texts(&self.resolve(left, at)?) == texts(&self.resolve(right, at)?))
                }
                _ => self.wrong(at, "Equals needs two values"),
            },
            Some(("Fn::Not", Value::Array(items))) => match items.as_slice() {
                [item] => self.truth(item, at).map(|truth| !truth),
                _ => self.wrong(at, "Not needs one condition"),
            },
            Some(("Fn::And", Value::Array(items))) => items
                .iter()
                .map(|item| self.truth(item, at))
                .try_fold(true, |all, t| Some(all & t?)),
            Some(("Fn::Or", Value::Array(items))) => items
                .iter()
                .map(|item| self.truth(item, at))
                .try_fold(false, |any, t| Some(any | t?)),
            _ => self.wrong(at, "is not a condition that the gateway knows"),
        }
    }
}

fn single(name: &str, argument: &Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), argument.clone())])
}

fn intrinsic_of(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    let is_call = name == "Ref" || name.starts_with("Fn::");
    // A lone `Condition` is a call only where it names one; in a policy it is a mapping.
    let is_condition = name == "Condition" && argument.is_string();
    (is_call || is_condition).then_some((name, argument))
}
