//! `template.yaml` as the stories need it: its HTTP routes.

use std::collections::{BTreeMap, BTreeSet};

use harness::root_directory;
use reqwest::Method;
use saphyr::{LoadableYamlNode, Yaml};

/// One `AWS::ApiGatewayV2::Route` of the HTTP API.
#[derive(Debug)]
pub struct HttpRoute {
    pub method: Method,
    pub path: String,
    /// `Metadata: { Authorization: open }`
    pub is_open: bool,
}

pub fn http_routes() -> Vec<HttpRoute> {
    let text = std::fs::read_to_string(root_directory().join("template.yaml")).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let resources = documents[0].as_mapping_get("Resources").unwrap();
    let resources = resources.as_mapping().unwrap().values();
    let routes: Vec<_> = resources.filter_map(http_route).collect();
    assert!(routes.len() >= 18, "the template has fewer HTTP routes than there were");
    routes
}

fn http_route(resource: &Yaml<'_>) -> Option<HttpRoute> {
    let is_route = resource.as_mapping_get("Type")?.as_str()? == "AWS::ApiGatewayV2::Route";
    let key = resource.as_mapping_get("Properties")?.as_mapping_get("RouteKey")?.as_str()?;
    // A socket's route key is one word.
    let (method, path) = key.split_once(' ').filter(|_| is_route)?;
    let authorization = resource
        .as_mapping_get("Metadata")
        .and_then(|metadata| metadata.as_mapping_get("Authorization")?.as_str());
    Some(HttpRoute {
        method: method.parse().unwrap(),
        path: path.to_owned(),
        is_open: authorization == Some("open"),
    })
}

/// Every function by its binary's name, with the names of its own environment variables (those of
/// `Globals` are everybody's and not among them).
pub fn functions() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root_directory().join("template.yaml")).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let resources = documents[0].as_mapping_get("Resources").unwrap();
    let resources = resources.as_mapping().unwrap().values();
    let functions: BTreeMap<_, _> = resources.filter_map(function).collect();
    assert!(functions.len() >= 24, "the template has fewer functions than there were");
    functions
}

fn function(resource: &Yaml<'_>) -> Option<(String, BTreeSet<String>)> {
    let is_function = resource.as_mapping_get("Type")?.as_str()? == "AWS::Serverless::Function";
    let properties = resource.as_mapping_get("Properties").filter(|_| is_function)?;
    let code = properties.as_mapping_get("CodeUri")?.as_str()?;
    let binary = code.trim_end_matches('/').rsplit('/').next()?;
    let variables = properties
        .as_mapping_get("Environment")
        .and_then(|environment| environment.as_mapping_get("Variables")?.as_mapping());
    let names = variables.into_iter().flat_map(|variables| variables.keys());
    Some((binary.to_owned(), names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()))
}
