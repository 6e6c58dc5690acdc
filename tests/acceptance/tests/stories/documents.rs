//! `docs/openapi.yaml` and `docs/asyncapi.yaml` are true.
//!
//! The harness holds every answer and every frame of every story to them; here every operation
//! is asked for its success, so that none is left out.

use harness::{Authenticator, Client, Mail, PASSWORD, System, unique_id};
use protocol::body::{AskedContact, CreatedInvite, Session, TwoFactorEnrolment};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::until_stored;
use crate::people::{draft, people};
use crate::template::http_routes;

/// The second message of the group; the third is there to be deleted.
const SEQ: &str = "2";

/// Ada owns the group, Bob is in it.
struct Cast {
    ada: Client,
    bob: Client,
    group: Uuid,
}

/// Who asks, what takes the place of the path's last parameters, and with what.
struct Call {
    asks: Client,
    last: String,
    body: Value,
}

impl Cast {
    async fn gather() -> Self {
        let [ada, bob] = people(["ada", "bob"]).await;
        let group = ada.open_group("Documents", &[bob.id()]).await.unwrap().id;
        ada.send(group, &draft("to be changed")).await.unwrap();
        ada.send(group, &draft("to be deleted")).await.unwrap();
        until_stored(&ada, group, 3).await;
        Self { ada, bob, group }
    }

    fn call(&self, body: Value) -> Call {
        Call { asks: self.ada.clone(), last: String::new(), body }
    }

    /// Prepares what the route needs for its success.
    async fn prepare(&self, method: &str, path: &str) -> Call {
        if path.starts_with("/v1/auth/") || path == "/v1/users/me" {
            return self.of_the_account(method, path).await;
        }
        if path.contains("/invites") {
            return self.of_invites(method, path).await;
        }
        if path.starts_with("/v1/contact") || path.contains("/blocks") {
            return self.of_people(path).await;
        }
        let [zoe] = people(["zoe"]).await;
        let here = |body| self.call(body);
        match (method, path.trim_start_matches("/v1/conversations")) {
            ("POST", "") => here(json!({
                "type": "group", "client_id": unique_id(), "title": "New",
                "member_ids": [self.bob.id()],
            })),
            ("PATCH", "/{conversation_id}") => here(json!({ "description": "What is true" })),
            ("DELETE", "/{conversation_id}") => {
                let doomed = self.ada.open_group("Doomed", &[]).await.unwrap().id;
                Call { last: doomed.to_string(), ..here(json!({})) }
            }
            ("POST", "/{conversation_id}/members") => here(json!({ "user_ids": [zoe.id()] })),
            ("PATCH", "/{conversation_id}/members/{user_id}") => here(json!({ "role": "admin" })),
            ("DELETE", "/{conversation_id}/members/{user_id}") => {
                let added = json!({ "user_ids": [zoe.id()] });
                let path = format!("/v1/conversations/{}/members", self.group);
                self.ada.post(&path, &added).await.unwrap().expect_status(200).unwrap();
                Call { last: zoe.id().to_string(), ..here(json!({})) }
            }
            ("PUT", "/{conversation_id}/preferences") => here(json!({ "pinned": true })),
            ("POST", "/{conversation_id}/messages") => here(json!(draft("hello"))),
            ("POST", "/{conversation_id}/receipts") => here(json!({ "read": 1 })),
            ("PATCH", "/{conversation_id}/messages/{seq}") => here(json!({ "text": "hi" })),
            ("DELETE", "/{conversation_id}/messages/{seq}") => {
                Call { last: "3".to_owned(), ..here(json!({})) }
            }
            _ => here(json!({})),
        }
    }

    async fn of_the_account(&self, method: &str, path: &str) -> Call {
        let [zoe] = people(["zoe"]).await;
        let path = path.trim_start_matches("/v1/auth/");
        let body = match (method, path) {
            (_, "register") => json!(harness::Account::new("new").to_register()),
            (_, "login") => json!(zoe.account().to_login()),
            (_, "refresh") => json!({ "refresh_token": zoe.refresh_token }),
            (_, "email/verify") => json!({ "token": token_for(&zoe, "confirm").await }),
            (_, "password/forgot") => json!({ "email": zoe.account().email }),
            (_, "password/reset") => {
                let forgot = json!({ "email": zoe.account().email });
                let answer = zoe.post("/v1/auth/password/forgot", &forgot).await.unwrap();
                answer.expect_status(202).unwrap();
                json!({ "token": token_for(&zoe, "password").await, "new_password": NEW_PASSWORD })
            }
            (_, "password/change") => {
                json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD })
            }
            (_, "two-factor/confirm") => {
                let proof = json!({ "password": PASSWORD });
                let answer = zoe.post("/v1/auth/two-factor", &proof).await.unwrap();
                let enrolment: TwoFactorEnrolment = answer.expect(201).unwrap();
                json!({ "totp": Authenticator::scan(&enrolment.url).unwrap().code() })
            }
            ("PATCH", "/v1/users/me") => json!({ "bio": "Reads the documents" }),
            _ => json!({ "password": PASSWORD }),
        };
        let last = match path {
            "sessions/{session_id}" => {
                zoe.another_device().await.unwrap();
                let sessions = zoe.get("/v1/auth/sessions").await.unwrap();
                let sessions: protocol::body::List<Session> = sessions.expect(200).unwrap();
                sessions.items.iter().find(|session| !session.current).unwrap().id.to_string()
            }
            _ => String::new(),
        };
        Call { asks: zoe, last, body }
    }

    async fn of_invites(&self, method: &str, path: &str) -> Call {
        let invites = format!("/v1/conversations/{}/invites", self.group);
        let made = self.ada.post(&invites, &json!({})).await.unwrap();
        let made: CreatedInvite = made.expect(201).unwrap();
        let [zoe] = people(["zoe"]).await;
        match (method, path.ends_with("{invite_id}")) {
            (_, true) => Call { last: made.id.to_string(), ..self.call(json!({})) },
            _ if path.contains("{token}") => Call { asks: zoe, last: made.token, body: json!({}) },
            _ => self.call(json!({ "max_uses": 3, "expires_in_seconds": 3_600 })),
        }
    }

    async fn of_people(&self, path: &str) -> Call {
        let [zoe] = people(["zoe"]).await;
        let mut call = self.call(json!({ "user_id": zoe.id() }));
        call.last = zoe.id().to_string();
        if path.contains("{request_id}") {
            let asked = json!({ "user_id": self.ada.id() });
            let asked = zoe.post("/v1/contact-requests", &asked).await.unwrap();
            call.last = asked.expect::<AskedContact>(201).unwrap().request.id.to_string();
        }
        call
    }
}

const NEW_PASSWORD: &str = "another horse, another staple";

async fn token_for(client: &Client, about: &str) -> String {
    let mailbox = System::shared().await.unwrap().mailbox().unwrap();
    let is_it = |mail: &Mail| mail.subject.contains(about) && mail.token().is_some();
    mailbox.mail_to(&client.account().email, is_it).await.unwrap().token().unwrap()
}

#[tokio::test]
async fn every_route_succeeds_as_the_documents_say() {
    let cast = Cast::gather().await;
    for route in http_routes() {
        let Call { asks, last, body } = cast.prepare(route.method.as_str(), &route.path).await;
        // What the call brings is for the last parameter of the path.
        let (start, end) = match (route.path.rsplit_once('{'), last.is_empty()) {
            (Some((start, rest)), false) => {
                (start.to_owned() + &last, rest.split_once('}').unwrap().1)
            }
            _ => (route.path.clone(), ""),
        };
        let path = (start + end).replace("{conversation_id}", &cast.group.to_string());
        let path = path.replace("{user_id}", &cast.bob.id().to_string());
        let path = path.replace("{seq}", SEQ).replace("{emoji}", "👍");
        let path = match path.as_str() {
            "/v1/presence" => format!("{path}?user_ids={}", cast.bob.id()),
            "/v1/users" if route.method == Method::GET => format!("{path}?query=ada"),
            _ => path,
        };
        let request = asks.request(route.method.clone(), &path);
        let request = if route.method == Method::GET { request } else { request.json(&body) };
        let answer = asks.api().send(request).await.unwrap();
        let is_success = (200..300).contains(&answer.status);
        assert!(is_success, "{} {}: {} {}", route.method, path, answer.status, answer.text());
    }
}
