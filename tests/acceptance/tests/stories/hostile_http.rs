//! Requests that no honest client makes: each gets its documented answer.

use harness::{Account, Api, Client, System, unique_id};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{a_pair, people};

/// Sends these bytes as JSON.
async fn post_raw(client: &Client, path: &str, body: &[u8]) -> harness::Answer {
    let request = client.request(Method::POST, path).header("content-type", "application/json");
    client.api().send(request.body(body.to_vec())).await.unwrap()
}

#[tokio::test]
async fn a_body_that_is_not_json_is_400_and_one_of_a_wrong_shape_is_422() {
    let [ada] = people(["ada"]).await;
    let messages = format!("/v1/conversations/{}/messages", Uuid::nil());
    let deep = "[".repeat(50_000);
    let posts = ["/v1/auth/register", "/v1/auth/login", "/v1/auth/refresh", "/v1/conversations"];
    for path in posts.into_iter().chain([messages.as_str()]) {
        for body in ["", "{", "nope", "{\"a\":}", "{} {}", "{'a':1}", "\u{feff}{}", &deep] {
            let answer = post_raw(&ada, path, body.as_bytes()).await;
            answer.expect_problem(400, "invalid_json").unwrap();
        }
        post_raw(&ada, path, b"{\"a\":\"\xFF\"}")
            .await
            .expect_problem(400, "invalid_json")
            .unwrap();
        for body in ["[]", "1", "null", "\"text\"", "true"] {
            let answer = post_raw(&ada, path, body.as_bytes()).await;
            let problem = answer.expect_problem(422, "validation_failed").unwrap();
            assert_eq!(problem.fields.unwrap()[0].code, "invalid_type", "{path} {body}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413() {
    let [ada] = people(["ada"]).await;
    let body = |bytes: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(bytes)).into_bytes();
    let limit = domain::limits::BODY_MAX_BYTES;
    for path in ["/v1/auth/login", "/v1/conversations"] {
        post_raw(&ada, path, &body(limit)).await.expect_problem(413, "body_too_large").unwrap();
        let within = post_raw(&ada, path, &body(limit - 100)).await;
        within.expect_problem(422, "validation_failed").unwrap();
    }
    // API Gateway's own limit, in its own words.
    let answer = post_raw(&ada, "/v1/auth/login", &body(10_500_000)).await;
    assert_eq!(answer.expect::<Value>(413).unwrap()["message"], "Request Entity Too Large");
}

/// Every refused field with its code.
async fn refused_fields(api: &Api, request: reqwest::RequestBuilder) -> Vec<(String, String)> {
    let answer = api.send(request).await.unwrap();
    let problem = answer.expect_problem(422, "validation_failed").unwrap();
    problem.fields.unwrap().into_iter().map(|field| (field.name, field.code)).collect()
}

#[tokio::test]
async fn every_refused_field_of_a_registration_is_named_at_once() {
    let api = System::shared().await.unwrap().api().unwrap();
    let register = |change: Value| {
        let mut body = serde_json::to_value(Account::new("ada").to_register()).unwrap();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        api.request(Method::POST, "/v1/auth/register").json(&body)
    };
    for (change, name, code) in [
        (json!({ "username": null }), "username", "required"),
        (json!({ "username": "ab" }), "username", "invalid_username"),
        (json!({ "username": "аdа" }), "username", "invalid_username"),
        (json!({ "username": "a\u{0}da" }), "username", "invalid_username"),
        (json!({ "username": "x".repeat(33) }), "username", "invalid_username"),
        (json!({ "username": 5 }), "username", "invalid_type"),
        (json!({ "email": "nobody" }), "email", "invalid_email"),
        (json!({ "email": "a@b.c\r\nBcc: x@y.z" }), "email", "invalid_email"),
        (json!({ "password": "short" }), "password", "invalid_password"),
        (json!({ "password": "x".repeat(257) }), "password", "invalid_password"),
        (json!({ "display_name": "two\nlines" }), "display_name", "invalid_display_name"),
        (json!({ "display_name": "x".repeat(65) }), "display_name", "invalid_display_name"),
    ] {
        let refused = refused_fields(&api, register(change.clone())).await;
        assert_eq!(refused, [(name.to_owned(), code.to_owned())], "{change}");
    }
    let nothing = api.request(Method::POST, "/v1/auth/register").json(&json!({}));
    let refused = refused_fields(&api, nothing).await;
    let names: Vec<_> = refused.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["username", "email", "password"]);
}

#[tokio::test]
async fn refused_fields_of_a_conversation_are_named() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let nobody = unique_id();
    let many: Vec<_> = (0..1_001).map(|_| unique_id()).collect();
    let group = |title: &str, ids: Value| {
        let base = json!({ "type": "group", "client_id": nobody, "title": title });
        let mut body = base.as_object().cloned().unwrap();
        body.insert("member_ids".to_owned(), ids);
        Value::Object(body)
    };
    for (body, name, code) in [
        (json!({ "member_ids": [bob.id()] }), "type", "required"),
        (json!({ "type": "channel", "member_ids": [bob.id()] }), "type", "invalid_type"),
        (json!({ "type": "direct" }), "member_ids", "required"),
        (json!({ "type": "direct", "member_ids": [] }), "member_ids", "invalid_member_count"),
        (
            json!({ "type": "direct", "member_ids": [bob.id(), nobody] }),
            "member_ids",
            "invalid_member_count",
        ),
        (json!({ "type": "direct", "member_ids": ["x"] }), "member_ids[0]", "invalid_uuid"),
        (json!({ "type": "direct", "member_ids": [ada.id()] }), "member_ids[0]", "invalid_member"),
        (json!({ "type": "direct", "member_ids": [nobody] }), "member_ids[0]", "user_not_found"),
        (json!({ "type": "direct", "member_ids": "x" }), "member_ids", "invalid_type"),
        (json!({ "type": "group", "title": "x", "member_ids": [] }), "client_id", "required"),
        (group("", json!([])), "title", "invalid_title"),
        (group(&"x".repeat(129), json!([])), "title", "invalid_title"),
        (group("two\nlines", json!([])), "title", "invalid_title"),
        (group("x", json!([bob.id(), nobody])), "member_ids[1]", "user_not_found"),
        (group("x", json!(many)), "member_ids", "too_many_members"),
    ] {
        let request = ada.request(Method::POST, "/v1/conversations").json(&body);
        let refused = refused_fields(ada.api(), request).await;
        assert_eq!(refused, [(name.to_owned(), code.to_owned())], "{body:.120}");
    }
    assert_eq!(ada.conversations().await.unwrap().items, []);
}

#[tokio::test]
async fn refused_fields_of_a_message_are_named() {
    let (ada, _, conversation) = a_pair().await;
    let id = unique_id();
    for (body, name, code) in [
        (json!({ "text": "hi" }), "client_id", "required"),
        (json!({ "client_id": "x", "text": "hi" }), "client_id", "invalid_uuid"),
        (json!({ "client_id": id }), "text", "text_required"),
        (json!({ "client_id": id, "text": "x".repeat(8_001) }), "text", "invalid_text_length"),
        (json!({ "client_id": id, "text": "\u{0}" }), "text", "invalid_text_character"),
        (json!({ "client_id": id, "text": 5 }), "text", "invalid_type"),
        (json!({ "client_id": id, "text": "hi", "kind": "system" }), "kind", "invalid_kind"),
        (json!({ "client_id": id, "text": "hi", "reply_to": 0 }), "reply_to", "invalid_reply_to"),
        (json!({ "client_id": id, "text": "hi", "reply_to": 1.5 }), "reply_to", "invalid_type"),
    ] {
        let path = format!("/v1/conversations/{conversation}/messages");
        let refused = refused_fields(ada.api(), ada.request(Method::POST, &path).json(&body)).await;
        assert_eq!(refused, [(name.to_owned(), code.to_owned())], "{body:.120}");
    }
}

#[tokio::test]
async fn refused_parameters_are_named() {
    let (ada, _, conversation) = a_pair().await;
    let one = format!("/v1/conversations/{conversation}");
    for (path, name, code) in [
        ("/v1/conversations?limit=0".to_owned(), "limit", "invalid_limit"),
        ("/v1/conversations?limit=201".to_owned(), "limit", "invalid_limit"),
        ("/v1/conversations?limit=ten".to_owned(), "limit", "invalid_limit"),
        ("/v1/conversations?cursor=%00".to_owned(), "cursor", "invalid_cursor"),
        ("/v1/conversations?cursor=aGVsbG8".to_owned(), "cursor", "invalid_cursor"),
        (format!("{one}/members?cursor=../../x"), "cursor", "invalid_cursor"),
        (format!("{one}/messages?after=-1"), "after", "invalid_seq"),
        (format!("{one}/messages?before=x"), "before", "invalid_seq"),
        (format!("{one}/messages?around=99999999999999999999"), "around", "invalid_seq"),
        (format!("{one}/messages?before=5&after=1"), "before", "invalid_window"),
        (format!("{one}/changes?after=-1"), "after", "invalid_seq"),
        (format!("{one}/changes?after=1%27%20OR%201=1"), "after", "invalid_seq"),
    ] {
        let refused = refused_fields(ada.api(), ada.request(Method::GET, &path)).await;
        assert_eq!(refused, [(name.to_owned(), code.to_owned())], "{path}");
    }
}

#[tokio::test]
async fn hostile_ids_and_paths_name_nothing() {
    let [ada] = people(["ada"]).await;
    for id in ["x", "%00", "..%2F..%2Fetc", "%27%20OR%201=1", "1e3", "%F0%9F%9A%80", "{}"] {
        let conversation = ada.get(&format!("/v1/conversations/{id}/messages")).await.unwrap();
        conversation.expect_problem(404, "conversation_not_found").unwrap();
        let user = ada.get(&format!("/v1/users/{id}")).await.unwrap();
        user.expect_problem(404, "user_not_found").unwrap();
    }
    let nobody = ada.get(&format!("/v1/users/{}", unique_id())).await.unwrap();
    nobody.expect_problem(404, "user_not_found").unwrap();
    // What is no route at all is answered by the gateway.
    for path in ["/", "/v1", "/v1/people", "/v1/conversations/x/y/z", "/v2/users/me"] {
        assert_eq!(
            ada.get(path).await.unwrap().expect::<Value>(404).unwrap()["message"],
            "Not Found"
        );
    }
}
