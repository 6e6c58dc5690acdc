//! The HTTP API: its routes, and what every route of either API has in common.

use std::collections::BTreeMap;

use serde_json::Value;

use super::resource::{Resource, texts, whole_number};
use super::scope::Scope;
use crate::model::{Cors, Function, HttpApi, HttpRoute};

const METHODS: [&str; 8] = ["ANY", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "DELETE"];

pub(super) fn read(scope: &Scope<'_>, functions: &BTreeMap<String, Function>) -> HttpApi {
    let Some(api) = the_api(scope, "HTTP") else { return HttpApi::default() };
    for stage in stages_of(&api) {
        if stage.text("StageName").is_some_and(|name| name != "$default") {
            stage.problem("StageName", "must be $default: the gateway serves no other HTTP stage");
        }
    }
    let routes: Vec<HttpRoute> =
        routes_of(&api).iter().filter_map(|route| http_route(route, functions)).collect();
    HttpApi { routes: without_repeats(&api, routes), cors: cors(&api) }
}

/// The one API of a protocol; a second one would have no address of its own.
pub(super) fn the_api<'a>(scope: &'a Scope<'a>, protocol: &str) -> Option<Resource<'a>> {
    let mut apis = scope
        .resources_of("AWS::ApiGatewayV2::Api")
        .into_iter()
        .filter(|api| api.text("ProtocolType").as_deref() == Some(protocol));
    let first = apis.next();
    for another in apis {
        another.problem("ProtocolType", format!("the gateway serves one {protocol} API only"));
    }
    first
}

fn belongs(resource: &Resource<'_>, api: &Resource<'_>) -> bool {
    resource.text("ApiId") == Some(api.id.to_lowercase())
}

pub(super) fn stages_of<'a>(api: &Resource<'a>) -> Vec<Resource<'a>> {
    let stages = api.scope.resources_of("AWS::ApiGatewayV2::Stage");
    stages.into_iter().filter(|stage| belongs(stage, api)).collect()
}

pub(super) fn routes_of<'a>(api: &Resource<'a>) -> Vec<Resource<'a>> {
    let routes = api.scope.resources_of("AWS::ApiGatewayV2::Route");
    routes.into_iter().filter(|route| belongs(route, api)).collect()
}

/// Route → integration → function, each step checked.
pub(super) fn function_of(
    route: &Resource<'_>,
    functions: &BTreeMap<String, Function>,
) -> Option<String> {
    let target = route.required_text("Target")?;
    let integration = target.strip_prefix("integrations/").and_then(|id| route.scope.resource(id));
    let Some(integration) =
        integration.filter(|found| found.kind == "AWS::ApiGatewayV2::Integration")
    else {
        route.problem("Target", format!("leads nowhere: {target} is not an integration"));
        return None;
    };
    let uri = integration.required_text("IntegrationUri")?;
    let after = uri.split(":function:").nth(1).unwrap_or(&uri);
    let name = after.split(['/', ':']).next().unwrap_or(after);
    if !functions.contains_key(name) {
        let text = format!("leads nowhere: there is no function {name}");
        integration.problem("IntegrationUri", text);
        return None;
    }
    Some(name.to_owned())
}

fn http_route(route: &Resource<'_>, functions: &BTreeMap<String, Function>) -> Option<HttpRoute> {
    let key = route.required_text("RouteKey")?;
    let parsed = key
        .split_once(' ')
        .filter(|(method, path)| METHODS.contains(method) && path.starts_with('/'));
    let Some((method, path)) = parsed else {
        route.problem("RouteKey", format!("{key} is not a method and a path, such as GET /path"));
        return None;
    };
    let function = function_of(route, functions)?;
    Some(HttpRoute { method: method.to_owned(), path: path.to_owned(), function })
}

fn without_repeats(api: &Resource<'_>, routes: Vec<HttpRoute>) -> Vec<HttpRoute> {
    let mut known: Vec<HttpRoute> = Vec::with_capacity(routes.len());
    for route in routes {
        if known.iter().any(|other| other.method == route.method && other.path == route.path) {
            let text = format!("{} {} is routed twice", route.method, route.path);
            api.problem("Routes", text);
        }
        known.push(route);
    }
    known
}

fn cors(api: &Resource<'_>) -> Option<Cors> {
    let configuration = api.value("CorsConfiguration")?;
    let list = |name: &str| configuration.get(name).map(texts).unwrap_or_default();
    Some(Cors {
        allow_origins: list("AllowOrigins"),
        allow_methods: list("AllowMethods"),
        allow_headers: list("AllowHeaders"),
        expose_headers: list("ExposeHeaders"),
        max_age_seconds: configuration.get("MaxAge").and_then(whole_number),
        allow_credentials: configuration.get("AllowCredentials") == Some(&Value::Bool(true)),
    })
}
