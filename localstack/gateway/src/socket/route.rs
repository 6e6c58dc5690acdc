//! Which route a message belongs to.

use serde_json::Value;

use crate::model::{SocketApi, SocketRoute};

/// The route's key and route; `None` if not even `$default` exists.
///
/// Whatever is not JSON, lacks the selected field or names no route belongs to `$default`. So does
/// a message that names `$connect` or `$disconnect`: clients must not reach those by a frame.
pub(super) fn select<'a>(api: &'a SocketApi, message: &str) -> Option<(&'a str, &'a SocketRoute)> {
    let named = selected_field(&api.route_selection, message)
        .filter(|key| !key.starts_with('$'))
        .and_then(|key| api.routes.get_key_value(&key));
    let (key, route) = named.or_else(|| api.routes.get_key_value("$default"))?;
    Some((key, route))
}

fn selected_field(expression: &str, message: &str) -> Option<String> {
    let path = expression.strip_prefix("$request.body.")?;
    let body: Value = serde_json::from_str(message).ok()?;
    let field = path.split('.').try_fold(&body, |value, name| value.get(name))?;
    field.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(message: &str) -> String {
        let routes = ["$connect", "$disconnect", "$default", "heartbeat"].map(|key| {
            let function = key.trim_start_matches('$').to_owned();
            (key.to_owned(), SocketRoute { function, has_route_response: false })
        });
        let route_selection = "$request.body.type".to_owned();
        let api = SocketApi { stage: "socket".into(), route_selection, routes: routes.into() };
        select(&api, message).unwrap().0.to_owned()
    }

    #[test]
    fn a_message_goes_to_the_route_that_its_field_names() {
        assert_eq!(key_of(r#"{"type":"heartbeat","data":{}}"#), "heartbeat");
    }

    #[test]
    fn everything_else_goes_to_default() {
        let others = [
            "",
            "not json",
            "[]",
            "7",
            "{}",
            r#"{"type":7}"#,
            r#"{"type":null}"#,
            r#"{"type":"other"}"#,
            r#"{"data":{"type":"heartbeat"}}"#,
        ];
        for message in others {
            assert_eq!(key_of(message), "$default", "{message}");
        }
    }

    #[test]
    fn a_client_cannot_reach_the_life_cycle_routes_by_a_frame() {
        for key in ["$connect", "$disconnect"] {
            assert_eq!(key_of(&format!(r#"{{"type":"{key}"}}"#)), "$default");
        }
    }

    #[test]
    fn json_nested_too_deeply_goes_to_default() {
        let deep = format!(r#"{{"type":"heartbeat","data":{}"#, "[".repeat(30_000));
        assert_eq!(key_of(&deep), "$default");
    }
}
