//! The documents describe the routes and frames that exist, and no others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::repository::read;
use crate::template::Template;
use crate::yaml;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// `send-message` → `sendMessage`.
fn camel_case(binary: &str) -> String {
    let pascal = crate::template::pascal_case(binary);
    pascal[..1].to_lowercase() + &pascal[1..]
}

/// `POST /v1/…` → the operation.
fn operations(openapi: &Value) -> BTreeMap<String, Value> {
    let paths = openapi["paths"].as_object().expect("docs/openapi.yaml: paths");
    let mut found = BTreeMap::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.insert(format!("{} {path}", method.to_uppercase()), operation.clone());
            }
        }
    }
    found
}

#[test]
fn openapi_describes_every_http_route_by_the_name_of_its_function() {
    let described: BTreeSet<(String, String)> = operations(&yaml::read("docs/openapi.yaml"))
        .into_iter()
        .map(|(key, operation)| {
            let id = operation["operationId"].as_str().unwrap_or("(none)").to_owned();
            (key, id)
        })
        .collect();
    let declared: BTreeSet<(String, String)> = Template::read()
        .routes()
        .into_iter()
        .filter(|route| !route.is_socket)
        .map(|route| (route.key, camel_case(&route.function)))
        .collect();
    assert_eq!(described, declared, "left: docs/openapi.yaml, right: template.yaml");
}

#[test]
fn openapi_says_which_routes_need_no_token() {
    let openapi = yaml::read("docs/openapi.yaml");
    let everywhere = &openapi["security"];
    let described: BTreeSet<String> = operations(&openapi)
        .into_iter()
        .filter(|(_, operation)| {
            let security = operation.get("security").unwrap_or(everywhere);
            security.as_array().is_none_or(Vec::is_empty)
        })
        .map(|(key, _)| key)
        .collect();
    let declared: BTreeSet<String> = Template::read()
        .routes()
        .into_iter()
        .filter(|route| route.is_open)
        .map(|route| route.key)
        .collect();
    assert_eq!(described, declared, "left: `security: []` in openapi, right: open in the template");
}

/// The names of frames in `protocol/src/frame.rs`: a client's frame is documented by its name
/// (`` /// `message.send` ``), a server's frame is renamed to it.
fn spoken() -> (BTreeSet<String>, BTreeSet<String>) {
    let source = read("shared/protocol/src/frame.rs");
    let lines = || source.lines().map(str::trim);
    let between = |start: &'static str, end: &'static str| {
        lines()
            .filter_map(move |line| line.strip_prefix(start)?.strip_suffix(end))
            .filter(|name| *name != "type")
            .map(str::to_owned)
            .collect()
    };
    (between("/// `", "`"), between("#[serde(rename = \"", "\")]"))
}

#[test]
fn asyncapi_describes_every_frame() {
    let asyncapi = yaml::read("docs/asyncapi.yaml");
    let messages = asyncapi["components"]["messages"].as_object();
    let described: BTreeSet<String> = messages
        .expect("docs/asyncapi.yaml: components.messages")
        .values()
        // API Gateway's own error is no frame of ours: it has no type.
        .filter_map(|message| message["payload"]["properties"]["type"]["const"].as_str())
        .map(str::to_owned)
        .collect();
    let (of_clients, of_the_server) = spoken();
    let spoken: BTreeSet<String> = of_clients.union(&of_the_server).cloned().collect();
    assert_eq!(described, spoken, "left: docs/asyncapi.yaml, right: shared/protocol");
}

#[test]
fn asyncapi_receives_what_clients_say_and_what_the_template_routes() {
    let asyncapi = yaml::read("docs/asyncapi.yaml");
    let operations = asyncapi["operations"].as_object().expect("docs/asyncapi.yaml: operations");
    let received: BTreeSet<String> = operations
        .values()
        .filter(|operation| operation["action"] == "receive")
        .flat_map(|operation| operation["messages"].as_array().into_iter().flatten())
        .filter_map(|message| message["$ref"].as_str()?.rsplit('/').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(received, spoken().0, "left: docs/asyncapi.yaml, right: shared/protocol");

    let routes = Template::read().routes();
    let keys: BTreeSet<&str> =
        routes.iter().filter(|route| route.is_socket).map(|route| route.key.as_str()).collect();
    for key in ["$connect", "$disconnect", "$default"] {
        assert!(keys.contains(key), "the template has no route {key}");
    }
    let own: Vec<_> = keys.into_iter().filter(|key| !key.starts_with('$')).collect();
    assert!(own.iter().all(|key| received.contains(*key)), "{own:?} are not all in asyncapi");
}

#[test]
fn the_readme_and_the_architecture_name_every_script_and_crate() {
    let readme = read("README.md");
    for script in ["scripts/start", "scripts/demo", "scripts/test"] {
        assert!(readme.contains(script), "README.md must name {script}");
    }
    let architecture = read("ARCHITECTURE.md");
    let parts = ["domain", "service", "protocol", "postgres", "aws", "transport", "testkit"];
    for part in parts {
        assert!(architecture.contains(part), "ARCHITECTURE.md must name {part}");
    }
}
