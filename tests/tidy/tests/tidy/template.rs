//! `template.yaml` as the tests need it, and the shape of its functions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::repository::{assert_none, files_under};
use crate::yaml;

pub struct Template(Value);

/// One function: its resource's name, its binary's name, and its properties.
pub struct Function {
    pub logical_id: String,
    pub binary: String,
    pub properties: Value,
}

/// One route with the function behind it.
pub struct Route {
    pub key: String,
    pub function: String,
    pub is_open: bool,
    pub is_socket: bool,
}

impl Template {
    pub fn read() -> Self {
        Self(yaml::read("template.yaml"))
    }

    pub fn resource(&self, logical_id: &str) -> &Value {
        self.0["Resources"].get(logical_id).unwrap_or_else(|| {
            panic!("template.yaml names the resource {logical_id}, which it does not declare")
        })
    }

    pub fn resources(&self, kind: &str) -> Vec<(&str, &Value)> {
        let all = self.0["Resources"].as_object().expect("resources");
        let of_kind = all.iter().filter(|(_, resource)| resource["Type"] == kind);
        of_kind.map(|(name, resource)| (name.as_str(), resource)).collect()
    }

    pub fn parameter_default(&self, name: &str) -> &Value {
        &self.0["Parameters"][name]["Default"]
    }

    /// A number, or the default of the parameter that it refers to.
    pub fn number(&self, value: &Value) -> Option<u64> {
        match value["Ref"].as_str() {
            Some(parameter) => self.parameter_default(parameter).as_u64(),
            None => value.as_u64(),
        }
    }

    pub fn functions(&self) -> Vec<Function> {
        let functions = self.resources("AWS::Serverless::Function").into_iter();
        functions
            .map(|(logical_id, resource)| {
                let properties = resource["Properties"].clone();
                let code = properties["CodeUri"].as_str().expect("CodeUri").trim_end_matches('/');
                let binary = code.rsplit('/').next().expect("a last segment").to_owned();
                Function { logical_id: logical_id.to_owned(), binary, properties }
            })
            .collect()
    }

    pub fn binary_of(&self, logical_id: &str) -> String {
        let functions = self.functions();
        let found = functions.into_iter().find(|function| function.logical_id == logical_id);
        found.unwrap_or_else(|| panic!("{logical_id} is no function of template.yaml")).binary
    }

    pub fn routes(&self) -> Vec<Route> {
        let routes = self.resources("AWS::ApiGatewayV2::Route").into_iter();
        routes
            .map(|(name, resource)| {
                let target = resource["Properties"]["Target"]["Sub"].as_str().expect("a !Sub");
                let integration = target
                    .strip_prefix("integrations/${")
                    .and_then(|rest| rest.strip_suffix('}'))
                    .unwrap_or_else(|| panic!("{name}: Target is not integrations/${{…}}"));
                let uri = &self.resource(integration)["Properties"]["IntegrationUri"];
                Route {
                    key: resource["Properties"]["RouteKey"].as_str().expect("a key").to_owned(),
                    function: self.binary_of(&function_in(uri)),
                    is_open: resource["Metadata"]["Authorization"] == "open",
                    is_socket: resource["Properties"]["ApiId"]["Ref"] == "SocketApi",
                }
            })
            .collect()
    }

    /// The variables of one function, those of every function included.
    pub fn environment(&self, function: &Function) -> BTreeMap<String, Value> {
        let everybody = &self.0["Globals"]["Function"]["Environment"]["Variables"];
        let own = &function.properties["Environment"]["Variables"];
        let both = [everybody, own].into_iter().filter_map(Value::as_object).flatten();
        both.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// `!GetAtt SendMessage.Arn` or `!Sub …/functions/${SocketConnect.Arn}/invocations`.
fn function_in(uri: &Value) -> String {
    let text = match (uri["GetAtt"].as_str(), uri["Sub"].as_str()) {
        (Some(attribute), _) => attribute,
        (None, Some(text)) => text.split("/functions/${").nth(1).unwrap_or_default(),
        (None, None) => panic!("{uri} names no function"),
    };
    text.split('.').next().unwrap_or_default().to_owned()
}

/// `send-message` → `SendMessage`.
pub fn pascal_case(binary: &str) -> String {
    let words = binary.split('-');
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

#[test]
fn every_function_is_a_binary_and_every_binary_a_function() {
    let declared: BTreeSet<String> =
        Template::read().functions().into_iter().map(|function| function.binary).collect();
    let built: BTreeSet<String> = files_under("functions")
        .into_iter()
        .filter(|file| file.path.contains("/src/bin/"))
        .map(|file| file.stem().to_owned())
        .collect();
    assert_eq!(declared, built, "left: template.yaml, right: functions/*/src/bin");
}

#[test]
fn a_function_has_one_name() {
    let mut offences = Vec::new();
    for function in Template::read().functions() {
        let Function { logical_id, binary, properties } = &function;
        if *logical_id != pascal_case(binary) {
            offences.push(format!("{logical_id} runs {binary}"));
        }
        if properties["FunctionName"]["Sub"] != format!("${{AWS::StackName}}-{binary}") {
            offences.push(format!("{logical_id}: FunctionName does not end with {binary}"));
        }
    }
    assert_none("template.yaml", &offences);
}

#[test]
fn every_function_has_a_size_a_timeout_and_a_log_that_ends() {
    let template = Template::read();
    let on_http: BTreeSet<String> = template.routes().into_iter().map(|r| r.function).collect();
    let mut offences = Vec::new();
    for function in template.functions() {
        let Function { logical_id, binary, properties } = &function;
        let timeout = properties["Timeout"].as_u64().unwrap_or(u64::MAX);
        // API Gateway gives up after 30 s; a caller should know much earlier.
        let max_timeout = if on_http.contains(binary) { 10 } else { 30 };
        if timeout > max_timeout {
            offences.push(format!("{logical_id}: Timeout must be at most {max_timeout}"));
        }
        if properties["MemorySize"].as_u64().is_none() {
            offences.push(format!("{logical_id}: MemorySize is missing"));
        }
        let log = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap_or_default();
        if log.is_empty() || template.resource(log)["Properties"]["RetentionInDays"].is_null() {
            offences.push(format!("{logical_id}: its log group has no RetentionInDays"));
        }
    }
    assert_none("template.yaml", &offences);
}

const HASHING: [&str; 7] = [
    "register-user",
    "login-user",
    "reset-password",
    "change-password",
    "enrol-two-factor",
    "disable-two-factor",
    "erase-me",
];

/// A hash of a password takes a full core, or half a second.
#[test]
fn functions_that_hash_passwords_have_a_full_core() {
    for function in Template::read().functions() {
        if HASHING.contains(&function.binary.as_str()) {
            assert_eq!(function.properties["MemorySize"], 1769, "{}", function.binary);
        }
    }
}

#[test]
fn only_signing_in_keys_and_health_are_open() {
    let routes = Template::read().routes();
    let open: BTreeSet<&str> =
        routes.iter().filter(|route| route.is_open).map(|route| route.key.as_str()).collect();
    let expected = [
        "POST /v1/auth/register",
        "POST /v1/auth/login",
        "POST /v1/auth/refresh",
        "POST /v1/auth/email/verify",
        "POST /v1/auth/password/forgot",
        "POST /v1/auth/password/reset",
        "GET /.well-known/jwks.json",
        "GET /health/live",
        "GET /health/ready",
    ];
    assert_eq!(open, BTreeSet::from(expected));
}

#[test]
fn acceptance_tries_every_route_of_the_template_as_everybody() {
    let suite: String = files_under("tests/acceptance").into_iter().map(|file| file.text).collect();
    let name = "fn each_route_answers_each_asker_as_its_row_says";
    assert!(suite.contains(name), "tests/acceptance has no test {name}");
    assert!(suite.contains("template.yaml"), "it must read its routes from template.yaml");
}
