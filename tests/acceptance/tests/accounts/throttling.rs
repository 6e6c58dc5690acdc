//! How often one may try.

use harness::{Account, Answer, Client, Options, PASSWORD, System, unique_id};
use reqwest::{Method, Response};
use serde_json::{Value, json};

const LOGIN: &str = "/v1/auth/login";

/// Asks from another address of this machine.
struct Elsewhere {
    http: reqwest::Client,
    base: String,
}

impl Elsewhere {
    fn at(system: &System, last: u8) -> Self {
        let address = std::net::Ipv4Addr::new(127, 0, 0, last);
        let http = reqwest::Client::builder().local_address(Some(address.into())).no_proxy();
        Self { http: http.build().unwrap(), base: system.http_url().to_owned() }
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.http.request(Method::POST, format!("{}{path}", self.base)).json(body);
        request.send().await.unwrap()
    }
}

fn wrong(login: &str) -> Value {
    json!({ "login": login, "password": "not my password" })
}

fn right(login: &str) -> Value {
    json!({ "login": login, "password": PASSWORD })
}

fn number(answer: &Answer, header: &str) -> Option<u64> {
    answer.header(header).and_then(|value| value.parse().ok())
}

/// 429, and when to come again.
fn assert_throttled(answer: &Answer, policy: &str) {
    let problem = answer.expect_problem(429, "too_many_requests").unwrap();
    let seconds = problem.retry_after_seconds.unwrap();
    assert!(seconds > 0);
    let told = ["retry-after", "ratelimit-reset", "ratelimit-remaining", "ratelimit-limit"];
    let expected = [seconds, seconds, 0, 3].map(Some);
    assert_eq!(told.map(|name| number(answer, name)), expected, "{:?}", answer.headers);
    assert_eq!(answer.header("ratelimit-policy"), Some(policy), "{:?}", answer.headers);
}

fn small() -> Options {
    let small = Options::default().with("LoginsPerMinute", "3").with("MailsPerHour", "3");
    let small = small.with("RegistrationsPerHour", "3").with("ConversationsPerHour", "3");
    small.with("MessagesBurst", "3")
}

#[tokio::test]
async fn who_tries_too_often_waits_and_nobody_waits_with_them() {
    let system = System::start(small()).await.unwrap();
    let api = system.api().unwrap();
    let ada = Client::register(&api, "ada").await.unwrap();
    let bob = Client::register(&api, "bob").await.unwrap();
    let [hers, his] = [&ada, &bob].map(|client| client.account().clone());

    // One address.
    for (login, left) in [(hers.username.as_str(), 2), (&hers.email, 1), ("nobody-at-all", 0)] {
        let answer = api.post(LOGIN, &wrong(login)).await.unwrap();
        answer.expect_problem(401, "invalid_credentials").unwrap();
        assert_eq!(number(&answer, "ratelimit-remaining"), Some(left), "{:?}", answer.headers);
    }
    for login in [&hers.username, &his.username] {
        assert_throttled(&api.post(LOGIN, &right(login)).await.unwrap(), "3;w=60");
    }

    // One account, whatever it is called: two of its three tries are gone already.
    let attacker = Elsewhere::at(&system, 2);
    let upper = hers.username.to_uppercase();
    assert_eq!(attacker.post(LOGIN, &wrong(&upper)).await.status(), 401);
    assert_eq!(attacker.post(LOGIN, &wrong(&hers.email)).await.status(), 429);
    assert_eq!(Elsewhere::at(&system, 3).post(LOGIN, &right(&hers.username)).await.status(), 429);
    let answer = Elsewhere::at(&system, 4).post(LOGIN, &right(&his.username)).await;
    assert_eq!(answer.status(), 200, "another account was held up");
    // Who is signed in stays so.
    ada.refreshed().await.unwrap();

    // A name that nobody has is treated as one that somebody has.
    let mut statuses = Vec::new();
    for last in 5..9 {
        let elsewhere = Elsewhere::at(&system, last);
        statuses.push(elsewhere.post(LOGIN, &wrong("nobody-else")).await.status().as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429]);

    // Accounts of one address; two were made above.
    let register = |account: Account| serde_json::to_value(account.to_register()).unwrap();
    let third = register(Account::new("carol"));
    api.post("/v1/auth/register", &third).await.unwrap().expect_status(201).unwrap();
    let fourth = register(Account::new("dave"));
    assert_throttled(&api.post("/v1/auth/register", &fourth).await.unwrap(), "3;w=3600");
    let answer = Elsewhere::at(&system, 9).post("/v1/auth/register", &fourth).await;
    assert_eq!(answer.status(), 201);
    guesses_of_a_signed_in_thief_are_limited(&bob).await;
    mails_are_limited(&system, &ada).await;
    openings_and_changes_of_groups_are_limited(&ada).await;
}

/// Who found an open phone may not try passwords with it.
async fn guesses_of_a_signed_in_thief_are_limited(bob: &Client) {
    let body = json!({ "current_password": "a guess of mine", "new_password": "anything else" });
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(bob.post("/v1/auth/password/change", &body).await.unwrap().status);
    }
    assert_eq!(codes.last(), Some(&429), "{codes:?}");
    let body = json!({ "password": "a guess of mine" });
    assert_throttled(&bob.post("/v1/auth/two-factor", &body).await.unwrap(), "3;w=60");
}

/// The inbox of somebody must not be filled by others, whether or not there is one.
async fn mails_are_limited(system: &System, ada: &Client) {
    let unknown = Account::new("nobody").email;
    for (email, first) in [(ada.account().email.as_str(), 10), (&unknown, 20)] {
        let mut statuses = Vec::new();
        for last in first..first + 4 {
            let body = json!({ "email": email });
            let elsewhere = Elsewhere::at(system, last);
            let answer = elsewhere.post("/v1/auth/password/forgot", &body).await;
            statuses.push(answer.status().as_u16());
        }
        assert_eq!(statuses, [202, 202, 202, 429], "{email}");
    }
    let resend = || ada.api().send(ada.request(Method::POST, "/v1/auth/email/resend"));
    for _ in 0..3 {
        resend().await.unwrap().expect_status(202).unwrap();
    }
    assert_throttled(&resend().await.unwrap(), "3;w=3600");
}

/// Each is told to everybody whom it concerns, whether they know one or not.
async fn openings_and_changes_of_groups_are_limited(ada: &Client) {
    let open = || {
        let body = json!({
            "type": "group", "client_id": unique_id(), "title": "a group", "member_ids": [],
        });
        async move { ada.post("/v1/conversations", &body).await.unwrap() }
    };
    let mut id = String::new();
    for _ in 0..3 {
        let answer = open().await;
        let opened: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 201, "{opened}");
        id = opened["id"].as_str().unwrap().to_owned();
    }
    assert_throttled(&open().await, "3;w=3600");
    let path = format!("/v1/conversations/{id}");
    let rename = ada.request(Method::PATCH, &path).json(&json!({ "title": "another" }));
    let renamed = ada.api().send(rename).await.unwrap();
    assert_eq!(renamed.status, 200);
    assert_eq!(number(&renamed, "ratelimit-limit"), Some(3), "as many as messages");
}
