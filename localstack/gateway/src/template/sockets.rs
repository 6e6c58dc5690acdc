//! The WebSocket API: its stage, how it chooses a route, and which routes answer.

use std::collections::BTreeMap;

use super::resource::Resource;
use super::routes::{function_of, routes_of, stages_of, the_api};
use super::scope::Scope;
use crate::model::{Function, SocketApi, SocketRoute};

pub(super) fn read(scope: &Scope<'_>, functions: &BTreeMap<String, Function>) -> SocketApi {
    let Some(api) = the_api(scope, "WEBSOCKET") else { return SocketApi::default() };
    let stages = stages_of(&api);
    let stage = match stages.as_slice() {
        [stage] => stage.required_text("StageName").unwrap_or_default(),
        _ => {
            api.problem("Stage", format!("must have exactly one stage, not {}", stages.len()));
            String::new()
        }
    };
    let mut routes = BTreeMap::new();
    for route in routes_of(&api) {
        let Some(key) = route.required_text("RouteKey") else { continue };
        let Some(function) = function_of(&route, functions) else { continue };
        let has_route_response = answers(&route);
        if routes.insert(key.clone(), SocketRoute { function, has_route_response }).is_some() {
            route.problem("RouteKey", format!("{key} is routed twice"));
        }
    }
    let route_selection = api.required_text("RouteSelectionExpression").unwrap_or_default();
    SocketApi { stage, route_selection, routes }
}

/// AWS sends the function's answer back only when the route has both, a selection expression and
/// a route response; with one of them alone the client waits in vain.
fn answers(route: &Resource<'_>) -> bool {
    let selects = route.has("RouteResponseSelectionExpression");
    let responds = route
        .scope
        .resources_of("AWS::ApiGatewayV2::RouteResponse")
        .iter()
        .any(|response| response.text("RouteId").as_deref() == Some(route.id));
    if selects != responds {
        let text = "AWS answers only with both a RouteResponseSelectionExpression and a \
                    AWS::ApiGatewayV2::RouteResponse";
        route.problem("RouteResponseSelectionExpression", text);
    }
    selects && responds
}
