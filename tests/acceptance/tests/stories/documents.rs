//! `docs/openapi.yaml` and `docs/asyncapi.yaml` are true.
//!
//! The harness holds every answer and every frame of every story to them; here every operation
//! is asked for its success, so that none is left out.

use std::collections::BTreeSet;

use harness::{Client, unique_id};
use reqwest::Method;
use serde_json::{Value, json};

use crate::calls::until_stored;
use crate::people::{draft, people};
use crate::template::http_routes;

/// A body with which each route that takes one succeeds.
fn body(method: &Method, path: &str, client: &Client, other: &Client) -> Value {
    let fresh = harness::Account::new("new");
    match (method.as_str(), path) {
        ("POST", "/v1/auth/register") => serde_json::to_value(fresh.to_register()).unwrap(),
        ("POST", "/v1/auth/login") => serde_json::to_value(client.account().to_login()).unwrap(),
        ("POST", "/v1/auth/refresh") => json!({ "refresh_token": client.refresh_token }),
        ("PATCH", "/v1/users/me") => json!({ "bio": "Reads the documents" }),
        ("POST", "/v1/conversations") => json!({
            "type": "group", "client_id": unique_id(), "title": "New", "member_ids": [other.id()],
        }),
        ("POST", "/v1/conversations/{conversation_id}/messages") => json!(draft("hello")),
        ("POST", "/v1/conversations/{conversation_id}/receipts") => json!({ "read": 1 }),
        ("PATCH", "/v1/conversations/{conversation_id}/messages/{seq}") => json!({ "text": "hi" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn every_route_succeeds_as_the_documents_say() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let group = ada.open_group("Documents", &[bob.id()]).await.unwrap().id;
    ada.send(group, &draft("to be changed")).await.unwrap();
    until_stored(&ada, group, 2).await;
    let mut routes = http_routes();
    // Signing out ends the session that the others need; a tombstone changes no more.
    routes.sort_by_key(|route| match (&route.method, route.path.as_str()) {
        (_, path) if path.ends_with("logout") => 2,
        (&Method::DELETE, path) => u8::from(path.ends_with("{seq}")),
        _ => 0,
    });
    let mut answered = BTreeSet::new();
    for route in routes {
        let path = route.path.replace("{conversation_id}", &group.to_string());
        let path = path.replace("{user_id}", &bob.id().to_string());
        let path = path.replace("{seq}", "2").replace("{emoji}", "👍");
        let path =
            if path == "/v1/presence" { format!("{path}?user_ids={}", bob.id()) } else { path };
        let request = ada.request(route.method.clone(), &path);
        let request = if route.method == Method::GET {
            request
        } else {
            request.json(&body(&route.method, &route.path, &ada, &bob))
        };
        let answer = ada.api().send(request).await.unwrap();
        let is_success = (200..300).contains(&answer.status);
        assert!(is_success, "{} {}: {} {}", route.method, path, answer.status, answer.text());
        answered.insert((route.method.to_string(), route.path));
    }
    assert!(answered.len() >= 30);
}
