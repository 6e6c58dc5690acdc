//! `docs/openapi.yaml` and `docs/asyncapi.yaml` against what the system really says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::environment::root_directory;
use crate::http::Answer;
use crate::{Failure, Result};

static DOCUMENTS: OnceLock<Documents> = OnceLock::new();

/// From now on, an answer or a frame that the documents do not describe is a failure.
pub(crate) fn hold_to_documents() -> Result<()> {
    if DOCUMENTS.get().is_none() {
        // Of two at once, one wins; they are the same.
        let _ = DOCUMENTS.set(Documents::read()?);
    }
    Ok(())
}

pub(crate) fn check_answer(answer: &Answer, method: &str, path: &str) -> Result<()> {
    DOCUMENTS.get().map_or(Ok(()), |documents| documents.check_answer(answer, method, path))
}

pub(crate) fn check_frame(text: &str) -> Result<()> {
    DOCUMENTS.get().map_or(Ok(()), |documents| documents.check_frame(text))
}

struct Documents {
    /// `{"openapi": …, "asyncapi": …}`, every reference turned into one within it.
    both: Value,
    /// By the pointer of their schema.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Documents {
    fn read() -> Result<Self> {
        let mut both = Map::new();
        for name in ["openapi", "asyncapi"] {
            let path = root_directory().join(format!("docs/{name}.yaml"));
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(|e| Failure::cannot(format!("read {}", path.display()), e))?;
            let document = Yaml::load_from_str(&text);
            let document = document.map_err(|e| Failure::cannot(format!("read {name}.yaml"), e))?;
            both.insert(name.to_owned(), json_of(&document[0], name));
        }
        Ok(Self { both: Value::Object(both), validators: Mutex::default() })
    }

    /// Follows references until there is something else.
    fn resolve(&self, pointer: String) -> Option<(String, &Value)> {
        let value = self.both.pointer(&pointer)?;
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.resolve(reference.trim_start_matches('#').to_owned()),
            None => Some((pointer, value)),
        }
    }

    fn check(&self, what: &str, pointer: &str, value: &Value) -> Result<()> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = match validators.get(pointer) {
            Some(validator) => Arc::clone(validator),
            None => {
                let mut schema = self.both.clone();
                // Braces may not stand in the fragment of a URI.
                let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
                schema["$ref"] = json!(format!("#{fragment}"));
                let made = jsonschema::options().should_validate_formats(true).build(&schema);
                let made = made.map_err(|e| Failure::cannot(format!("read {pointer}"), e))?;
                Arc::clone(validators.entry(pointer.to_owned()).or_insert(Arc::new(made)))
            }
        };
        drop(validators);
        let mistakes = validator.iter_errors(value);
        let mistakes: Vec<_> = mistakes.map(|e| format!("{}: {e}", e.instance_path())).collect();
        if mistakes.is_empty() {
            return Ok(());
        }
        let mistakes = mistakes.join("; ");
        Err(Failure::undocumented(format!(
            "{what} is not as {pointer} says: {mistakes} in {value}"
        )))
    }

    fn check_answer(&self, answer: &Answer, method: &str, path: &str) -> Result<()> {
        let Some(template) = self.path_template(path) else { return Ok(()) };
        let method = method.to_lowercase();
        let what = format!("{method} {template} → {}", answer.status);
        if is_of_the_gateway(&answer.body) {
            return Ok(());
        }
        let responses = format!("/openapi/paths/{}/{method}/responses", escaped(template));
        let response = self.resolve(format!("{responses}/{}", answer.status));
        let undocumented = || Failure::undocumented(format!("{what} is not in openapi.yaml"));
        let (pointer, response) = response.ok_or_else(undocumented)?;
        let media_type = answer.header("content-type").unwrap_or_default();
        let Some(content) = response.get("content") else {
            let is_empty = answer.body.is_empty();
            return if is_empty { Ok(()) } else { Err(undocumented()) };
        };
        content.get(media_type).ok_or_else(|| {
            Failure::undocumented(format!(
                "{what} has the type {media_type:?}, which openapi.yaml has not"
            ))
        })?;
        let schema = format!("{pointer}/content/{}/schema", escaped(media_type));
        self.check(&what, &schema, &answer.json()?)
    }

    /// `/v1/users/{user_id}`; a path without parameters wins.
    fn path_template(&self, path: &str) -> Option<&str> {
        let paths = self.both.pointer("/openapi/paths")?.as_object()?;
        if let Some((template, _)) = paths.get_key_value(path) {
            return Some(template);
        }
        let fits = |template: &&String| {
            let (ours, theirs) = (template.split('/'), path.split('/'));
            ours.clone().count() == theirs.clone().count()
                && ours.zip(theirs).all(|(a, b)| a == b || (a.starts_with('{') && !b.is_empty()))
        };
        paths.keys().find(fits).map(String::as_str)
    }

    fn check_frame(&self, text: &str) -> Result<()> {
        let frame: Value = serde_json::from_str(text)
            .map_err(|e| Failure::cannot("read a frame of the server", format!("{e}: {text}")))?;
        let name = frame.get("type").map_or("gatewayError", |t| t.as_str().unwrap_or_default());
        let payload = format!("/asyncapi/components/messages/{name}/payload");
        if self.both.pointer(&payload).is_none() {
            return Err(Failure::new(format!(
                "the frame {name:?} is not in asyncapi.yaml: {text}"
            )));
        }
        self.check(&format!("the frame {name}"), &payload, &frame)
    }
}

/// `{"message": …}` and nothing else: API Gateway's own words, the same for every route.
fn is_of_the_gateway(body: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(body)
        .is_ok_and(|object| object.len() == 1 && object.contains_key("message"))
}

/// As a part of a JSON pointer.
fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// YAML as JSON; references become pointers into the one value that holds both documents.
fn json_of(node: &Yaml<'_>, document: &str) -> Value {
    match node {
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(|item| json_of(item, document)).collect(),
        Yaml::Mapping(entries) => {
            let entry = |(key, value): (&Yaml<'_>, &Yaml<'_>)| {
                let key = match json_of(key, document) {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                let value = json_of(value, document);
                let value = match value.as_str() {
                    Some(reference) if key == "$ref" => json!(absolute(reference, document)),
                    _ => value,
                };
                (key, value)
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        _ => Value::Null,
    }
}

fn absolute(reference: &str, document: &str) -> String {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let file = file.trim_start_matches("./").trim_end_matches(".yaml");
    format!("#/{}{pointer}", if file.is_empty() { document } else { file })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, media_type: &'static str, body: &str) -> Answer {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(media_type));
        Answer::new("a test", status, headers, body.to_owned().into())
    }

    #[test]
    fn what_the_documents_do_not_say_is_a_failure() {
        let documents = Documents::read().unwrap();
        let check = |answer: Answer| documents.check_answer(&answer, "GET", "/v1/users/me");
        for (mistaken, why) in [
            (answer(200, "application/json", "{}"), "required"),
            (answer(418, "application/json", "{}"), "not in openapi.yaml"),
            (answer(200, "text/html", "<p>"), "has the type"),
        ] {
            let failure = check(mistaken).unwrap_err().to_string();
            assert!(failure.contains(why), "{failure}");
        }
        let accepted = "{\"type\":\"message.accepted\",\"id\":\"x\",\"data\":{}}";
        for frame in ["{\"type\":\"gossip\"}", "{\"type\":\"bye\"}", accepted, "{}"] {
            assert!(documents.check_frame(frame).is_err(), "{frame}");
        }
    }
}
