//! Every route of the template, asked without a token.

use harness::System;
use serde_json::json;

use crate::people::people;
use crate::template::http_routes;

#[tokio::test]
async fn every_route_answers_401_without_a_token_unless_it_is_marked_open() {
    let api = System::shared().await.unwrap().api().unwrap();
    let mut closed = 0;
    for route in http_routes() {
        let path = route.path_with_ids();
        let request = || {
            let request = api.request(route.method.clone(), &path);
            if route.method == reqwest::Method::GET { request } else { request.json(&json!({})) }
        };
        for (what, request) in [
            ("no token", request()),
            ("a bad token", request().bearer_auth("a.b.c")),
            ("an empty token", request().header("authorization", "Bearer ")),
            ("another scheme", request().basic_auth("ada", Some("password"))),
        ] {
            let answer = api.send(request).await.unwrap();
            let is_refused = answer.status == 401;
            assert_eq!(is_refused, !route.is_open, "{} {path}, {what}", route.method);
            if is_refused {
                answer.expect_problem(401, "unauthenticated").unwrap();
                assert!(answer.header("www-authenticate").is_some());
            }
        }
        closed += usize::from(!route.is_open);
    }
    assert!(closed >= 12, "the template marks more routes as open than there were");
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let [ada] = people(["ada"]).await;
    for path in ["/v1/users/me", "/v1/users/nobody", "/health/live", "/.well-known/jwks.json"] {
        let answer = ada.get(path).await.unwrap();
        assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()), "{path}");
    }
    let problem = ada.get("/v1/users/nobody").await.unwrap();
    let id = problem.header("x-request-id").unwrap().to_owned();
    assert_eq!(problem.expect_problem(404, "user_not_found").unwrap().request_id, id);
}

#[tokio::test]
async fn the_system_says_that_it_is_well() {
    let api = System::shared().await.unwrap().api().unwrap();
    api.get("/health/live").await.unwrap().expect_status(200).unwrap();
    let ready = api.get("/health/ready").await.unwrap();
    let report: protocol::body::HealthReport = ready.expect(200).unwrap();
    assert_eq!(report.down, Vec::<String>::new());
}
