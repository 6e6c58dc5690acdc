//! The HTTP API over real TCP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use gateway::invoke::InvokeError;
use gateway::model::Cors;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

mod front_support;
use front_support::{TestGateway, http_model};

const ROUTES: [(&str, &str, &str); 5] = [
    ("GET", "/v1/users/me", "get-me"),
    ("GET", "/v1/users/{user_id}", "get-user"),
    ("POST", "/v1/auth/login", "login-user"),
    ("GET", "/v1/conversations/{conversation_id}/messages", "list-messages"),
    ("POST", "/v1/conversations/{conversation_id}/messages", "send-message"),
];

async fn answering(answer: Value) -> TestGateway {
    TestGateway::start(http_model(&ROUTES), 1.0, move |_, _| {
        let answer = answer.clone();
        async move { Ok(answer) }
    })
    .await
}

async fn failing(error: InvokeError) -> (StatusCode, Value) {
    let gateway = TestGateway::start(http_model(&ROUTES), 1.0, move |_, _| {
        let error = error.clone();
        async move { Err(error) }
    })
    .await;
    let answer = reqwest::get(gateway.url("/v1/users/me")).await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn an_event_says_everything_about_its_request() {
    let gateway = answering(json!({ "statusCode": 200 })).await;
    let url = gateway.url("/v1/conversations/a%2Fb%20c/messages?limit=2&limit=3&q=%C3%A9+x");
    let request = Client::new()
        .post(url)
        .header("content-type", "application/json")
        .header("cookie", "a=1; b=2")
        .header("x-twice", "one")
        .header("x-twice", "two")
        .header("user-agent", "test/1")
        .body(r#"{"text":"é"}"#);
    assert_eq!(request.send().await.unwrap().status(), 200);
    let event = gateway.functions.calls_of("send-message").remove(0);
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /v1/conversations/{conversation_id}/messages");
    assert_eq!(event["rawPath"], "/v1/conversations/a%2Fb%20c/messages");
    assert_eq!(event["rawQueryString"], "limit=2&limit=3&q=%C3%A9+x");
    assert_eq!(event["queryStringParameters"], json!({ "limit": "2,3", "q": "é x" }));
    assert_eq!(event["pathParameters"], json!({ "conversation_id": "a/b c" }));
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(event["headers"]["x-twice"], "one,two");
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    assert!(event["headers"].get("cookie").is_none());
    assert_eq!(event["body"], r#"{"text":"é"}"#);
    assert_eq!(event["isBase64Encoded"], false);
    let context = &event["requestContext"];
    assert_eq!(context["stage"], "$default");
    assert_eq!(context["routeKey"], event["routeKey"]);
    assert_eq!(context["domainName"], "127.0.0.1");
    assert!(context["timeEpoch"].is_i64());
    assert_eq!(context["http"]["method"], "POST");
    assert_eq!(context["http"]["path"], event["rawPath"]);
    assert_eq!(context["http"]["protocol"], "HTTP/1.1");
    assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["http"]["userAgent"], "test/1");
}

#[tokio::test]
async fn lambda_http_reads_the_event() {
    use lambda_http::RequestExt;
    let gateway = answering(json!({ "statusCode": 200 })).await;
    let url = gateway.url("/v1/conversations/7/messages?limit=2&limit=3");
    let request = Client::new().post(url).header("cookie", "a=1; b=2").body("{}");
    let answer = request.header("content-type", "application/json").send().await.unwrap();
    let id = answer.headers()["apigw-requestid"].clone();
    let event = gateway.functions.calls_of("send-message").remove(0).to_string();
    let request = lambda_http::request::from_str(&event).unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri().path(), "/v1/conversations/7/messages");
    assert_eq!(request.path_parameters().first("conversation_id"), Some("7"));
    assert_eq!(request.query_string_parameters().all("limit").unwrap(), ["2", "3"]);
    assert_eq!(request.headers()["cookie"], "a=1; b=2");
    assert_eq!(request.body().as_ref(), b"{}");
    match request.request_context() {
        lambda_http::request::RequestContext::ApiGatewayV2(context) => {
            assert_eq!(context.request_id.unwrap(), id.to_str().unwrap());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_body_that_is_no_text_arrives_in_base64() {
    let gateway = answering(json!({ "statusCode": 200 })).await;
    let bodies: [(&str, &[u8], bool); 5] = [
        ("application/json", b"{}", false),
        ("application/problem+json; charset=utf-8", b"{}", false),
        ("application/octet-stream", b"{}", true),
        ("application/x-www-form-urlencoded", b"a=b", true),
        ("application/json", b"\xff\xfe", true),
    ];
    for (index, (kind, body, encoded)) in bodies.into_iter().enumerate() {
        let request = Client::new().post(gateway.url("/v1/auth/login"));
        request.header("content-type", kind).body(body).send().await.unwrap();
        let event = gateway.functions.calls_of("login-user").remove(index);
        assert_eq!(event["isBase64Encoded"], encoded, "{kind} {body:?}");
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        assert_eq!(request.body().as_ref(), body, "{kind}");
    }
}

#[tokio::test]
async fn a_static_path_goes_before_a_parameter_and_what_is_unknown_is_not_found() {
    let gateway = answering(json!({ "statusCode": 204 })).await;
    for (method, path, status) in [
        (Method::GET, "/v1/users/me", 204),
        (Method::GET, "/v1/users/7", 204),
        (Method::DELETE, "/v1/users/me", 404),
        (Method::GET, "/v1/users/", 404),
        (Method::GET, "/", 404),
        (Method::GET, "/_gateway/secrets", 404),
    ] {
        let request = Client::new().request(method.clone(), gateway.url(path));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        if status == 404 {
            assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "message": "Not Found" }));
        }
    }
    assert_eq!(gateway.functions.calls_of("get-me").len(), 1);
    assert_eq!(gateway.functions.calls_of("get-user").len(), 1);
}

#[tokio::test]
async fn a_structured_answer_becomes_the_response() {
    let gateway = answering(json!({
        "statusCode": 201,
        "headers": { "Content-Type": "application/problem+json", "X-Number": 7,
                     "Content-Length": "999", "Connection": "close" },
        "multiValueHeaders": { "x-many": ["a", "b"] },
        "cookies": ["s=1; HttpOnly", "t=2"],
        "body": "aGVsbG8=",
        "isBase64Encoded": true
    }))
    .await;
    let answer = reqwest::get(gateway.url("/v1/users/me")).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["x-number"], "7");
    let many: Vec<_> = answer.headers().get_all("x-many").iter().collect();
    assert_eq!(many, ["a", "b"]);
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["s=1; HttpOnly", "t=2"]);
    assert_eq!(answer.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn json_without_a_status_is_the_body_of_a_200() {
    for (said, body) in
        [(json!({ "a": 1 }), r#"{"a":1}"#), (json!("hello"), "hello"), (json!([1, 2]), "[1,2]")]
    {
        let gateway = answering(said).await;
        let answer = reqwest::get(gateway.url("/v1/users/me")).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.text().await.unwrap(), body);
    }
}

#[tokio::test]
async fn a_malformed_answer_is_an_internal_error() {
    for said in [
        json!({ "raw": "not json" }),
        json!({ "raw": "" }),
        json!({ "statusCode": 99 }),
        json!({ "statusCode": 101 }),
        json!({ "statusCode": "many" }),
        json!({ "statusCode": 200, "body": { "a": 1 } }),
        json!({ "statusCode": 200, "body": "!", "isBase64Encoded": true }),
        json!({ "statusCode": 200, "headers": { "x": "line\r\nbreak: 1" } }),
        json!({ "statusCode": 200, "headers": [] }),
        json!({ "statusCode": 200, "cookies": [1] }),
    ] {
        let gateway = answering(said.clone()).await;
        let answer = reqwest::get(gateway.url("/v1/users/me")).await.unwrap();
        assert_eq!(answer.status(), 500, "{said}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body, json!({ "message": "Internal Server Error" }));
    }
}

#[tokio::test]
async fn a_failed_function_is_500_and_an_unreachable_one_503() {
    let internal = json!({ "message": "Internal Server Error" });
    let unavailable = json!({ "message": "Service Unavailable" });
    let secret = InvokeError::Function("a stack trace".into());
    assert_eq!(failing(secret).await, (StatusCode::INTERNAL_SERVER_ERROR, internal.clone()));
    for error in [InvokeError::Crashed, InvokeError::Timeout(3000)] {
        assert_eq!(failing(error).await, (StatusCode::INTERNAL_SERVER_ERROR, internal.clone()));
    }
    for error in [InvokeError::Throttled, InvokeError::Unavailable("no".into())] {
        assert_eq!(failing(error).await, (StatusCode::SERVICE_UNAVAILABLE, unavailable.clone()));
    }
}

#[tokio::test]
async fn a_body_over_ten_megabytes_is_refused_and_one_below_is_not() {
    let gateway = answering(json!({ "statusCode": 200 })).await;
    let most = 10 * 1024 * 1024;
    for (size, status) in [(most, 200), (most + 1, 413), (3 * most, 413)] {
        let request = Client::new().post(gateway.url("/v1/auth/login")).body(vec![b'x'; size]);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        if status == 413 {
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body, json!({ "message": "Request Entity Too Large" }));
        }
    }
    assert_eq!(gateway.functions.calls_of("login-user").len(), 1);
}

#[tokio::test]
async fn hostile_requests_are_answered_and_reach_no_function() {
    let gateway = answering(json!({ "statusCode": 200 })).await;
    let head = |line: &str, header: &str| {
        format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n\r\n")
    };
    let long = "a".repeat(11_000);
    let many = "x: y\r\n".repeat(3000);
    for (request, status) in [
        (head("GET /v1/users/%zz", "a: b"), "400"),
        (head("GET /v1/users/%ff", "a: b"), "400"),
        (head("GET /v1/users/me", &format!("a: {long}")), "431"),
        (head(&format!("GET /v1/users/me?{long}"), "a: b"), "431"),
        (head("GET /v1/users/me", many.trim_end()), "431"),
        (head("GET /v1/users/me", "no colon"), "400"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (head("POST /v1/auth/login", "content-length: 9\r\ncontent-length: 8"), "400"),
        (head("POST /v1/auth/login", "content-length: 999999999999"), "413"),
    ] {
        let answer = gateway.raw(request.as_bytes()).await;
        let line: String = request.chars().take(40).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {answer}");
    }
    let mut latin = head("GET /v1/users/me", "a: b").into_bytes();
    let at = latin.len() - 5;
    latin[at] = 0xe9;
    assert!(gateway.raw(&latin).await.starts_with("HTTP/1.1 400"));
    assert!(gateway.functions.calls_of("get-me").is_empty());
    assert!(gateway.functions.calls_of("login-user").is_empty());
}

fn cors() -> Cors {
    Cors {
        allow_origins: vec!["https://app.example".into()],
        allow_methods: vec!["GET".into(), "POST".into()],
        allow_headers: vec!["authorization".into()],
        expose_headers: vec!["x-request-id".into()],
        max_age_seconds: Some(600),
        allow_credentials: true,
    }
}

#[tokio::test]
async fn the_gateway_answers_preflights_and_replaces_the_functions_cors_headers() {
    let mut model = http_model(&ROUTES);
    model.http.cors = Some(cors());
    let gateway = TestGateway::start(model, 1.0, |_, _| async {
        Ok(json!({ "statusCode": 200, "headers": { "access-control-allow-origin": "*" } }))
    })
    .await;
    let client = Client::new();
    let url = gateway.url("/v1/users/me");
    let preflight = |origin: &'static str| {
        let request = client.request(Method::OPTIONS, &url).header("origin", origin);
        request.header("access-control-request-method", "GET").send()
    };
    let answer = preflight("https://app.example").await.unwrap();
    assert_eq!(answer.status(), 204);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], "https://app.example");
    assert_eq!(headers["access-control-allow-methods"], "GET,POST");
    assert_eq!(headers["access-control-allow-headers"], "authorization");
    assert_eq!(headers["access-control-max-age"], "600");
    assert_eq!(headers["access-control-allow-credentials"], "true");
    let foreign = preflight("https://evil.example").await.unwrap();
    assert!(foreign.headers().get("access-control-allow-origin").is_none());
    assert!(gateway.functions.calls_of("get-me").is_empty());

    let ask = |origin: &'static str| client.get(&url).header("origin", origin).send();
    let answer = ask("https://app.example").await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example");
    assert_eq!(answer.headers()["access-control-expose-headers"], "x-request-id");
    let foreign = ask("https://evil.example").await.unwrap();
    assert!(foreign.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn the_page_about_the_functions_is_what_their_host_says() {
    let gateway = answering(json!({ "statusCode": 200 })).await;
    let page = reqwest::get(gateway.url("/_gateway/functions")).await.unwrap();
    assert_eq!(page.json::<Value>().await.unwrap(), json!({ "get-user": { "processes": [] } }));
    gateway.stop().await;
}
