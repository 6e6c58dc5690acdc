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

/// The socket's functions are named by `x-function` at the operations of `docs/asyncapi.yaml`;
/// `$connect` and `$disconnect` are no frames.
#[test]
fn asyncapi_names_the_function_of_every_frame_route() {
    let asyncapi = yaml::read("docs/asyncapi.yaml");
    let operations = asyncapi["operations"].as_object().expect("docs/asyncapi.yaml: operations");
    let described: BTreeSet<String> = operations
        .values()
        .filter_map(|operation| operation["x-function"].as_str())
        .map(str::to_owned)
        .collect();
    let declared: BTreeSet<String> = Template::read()
        .routes()
        .into_iter()
        .filter(|route| route.is_socket && !["$connect", "$disconnect"].contains(&&*route.key))
        .map(|route| route.function)
        .collect();
    assert_eq!(described, declared, "left: x-function in asyncapi, right: template.yaml");
}

/// The names of frames are the `rename`s of `protocol/src/frame.rs` and, for the client's frames,
/// its doc comments (`` /// `message.send` ``).
#[test]
fn asyncapi_describes_every_frame() {
    let asyncapi = yaml::read("docs/asyncapi.yaml");
    let messages = asyncapi["components"]["messages"].as_object();
    let described: BTreeSet<String> = messages
        .expect("docs/asyncapi.yaml: components.messages")
        .values()
        .filter_map(|message| message["name"].as_str())
        .map(str::to_owned)
        .collect();
    let source = read("shared/protocol/src/frame.rs");
    let mut spoken = BTreeSet::new();
    for line in source.lines().map(str::trim) {
        let renamed =
            line.strip_prefix("#[serde(rename = \"").and_then(|rest| rest.strip_suffix("\")]"));
        let documented = line.strip_prefix("/// `").and_then(|rest| rest.strip_suffix('`'));
        spoken.extend(renamed.or(documented).filter(|name| *name != "type").map(str::to_owned));
    }
    assert_eq!(described, spoken, "left: docs/asyncapi.yaml, right: shared/protocol");
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
