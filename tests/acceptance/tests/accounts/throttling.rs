//! How often one may try.

use std::time::Instant;

use harness::{Account, Answer, Client, Options, PASSWORD, System, unique_id};
use reqwest::Method;
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

    /// The status of the answer.
    async fn post(&self, path: &str, body: &Value) -> u16 {
        let request = self.http.request(Method::POST, format!("{}{path}", self.base)).json(body);
        request.send().await.unwrap().status().as_u16()
    }
}

/// Tries of a password that count together: three, and one more for every 20 seconds that they
/// take on a busy machine.
struct Tries {
    begun: Instant,
    let_through: u64,
}

impl Tries {
    /// Before the first of them.
    fn begin() -> Self {
        Self { begun: Instant::now(), let_through: 0 }
    }

    /// How many may be let through more than three, by now.
    fn come_back(&self) -> u64 {
        self.begun.elapsed().as_secs() / 20
    }

    /// Tries until one is stopped, and answers that one.
    async fn until_stopped<T>(
        &mut self,
        mut attempt: impl AsyncFnMut() -> T,
        status: impl Fn(&T) -> u16,
    ) -> T {
        loop {
            let answer = attempt().await;
            if status(&answer) == 429 {
                assert!(self.let_through >= 3, "stopped after {}", self.let_through);
                return answer;
            }
            self.let_through += 1;
            assert!(self.let_through <= 3 + self.come_back(), "nobody is stopped");
        }
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

    one_address_and_one_account_are_limited(&system, &hers, &his).await;
    // Who is signed in stays so.
    ada.refreshed().await.unwrap();

    // A name that nobody has is treated as one that somebody has.
    let (mut tries, mut addresses) = (Tries::begin(), 5..);
    let unknown = async || {
        let elsewhere = Elsewhere::at(&system, addresses.next().unwrap());
        let status = elsewhere.post(LOGIN, &wrong("nobody-else")).await;
        assert!([401, 429].contains(&status), "{status}");
        status
    };
    tries.until_stopped(unknown, |status| *status).await;

    // Accounts of one address; two were made above.
    let register = |account: Account| serde_json::to_value(account.to_register()).unwrap();
    let third = register(Account::new("carol"));
    api.post("/v1/auth/register", &third).await.unwrap().expect_status(201).unwrap();
    let fourth = register(Account::new("dave"));
    assert_throttled(&api.post("/v1/auth/register", &fourth).await.unwrap(), "3;w=3600");
    let answer = Elsewhere::at(&system, 9).post("/v1/auth/register", &fourth).await;
    assert_eq!(answer, 201);
    guesses_of_a_signed_in_thief_are_limited(&bob).await;
    mails_are_limited(&system, &ada).await;
    openings_and_changes_of_groups_are_limited(&ada).await;
}

async fn one_address_and_one_account_are_limited(system: &System, hers: &Account, his: &Account) {
    let api = system.api().unwrap();
    let mut of_address = Tries::begin();
    for (login, left) in [(hers.username.as_str(), 2), (&hers.email, 1), ("nobody-at-all", 0)] {
        let answer = api.post(LOGIN, &wrong(login)).await.unwrap();
        answer.expect_problem(401, "invalid_credentials").unwrap();
        let told = number(&answer, "ratelimit-remaining").unwrap();
        let most = left + of_address.come_back();
        assert!((left..=most).contains(&told), "{told}, {:?}", answer.headers);
        of_address.let_through += 1;
    }
    let rightly = async || api.post(LOGIN, &right(&his.username)).await.unwrap();
    let stopped = of_address.until_stopped(rightly, |answer| answer.status).await;
    assert_throttled(&stopped, "3;w=60");

    // One account, whatever it is called: two of its three tries are gone already.
    let mut of_account = Tries { begun: of_address.begun, let_through: 2 };
    let attacker = Elsewhere::at(system, 2);
    assert_eq!(attacker.post(LOGIN, &wrong(&hers.username.to_uppercase())).await, 401);
    of_account.let_through += 1;
    let by_email = async || attacker.post(LOGIN, &wrong(&hers.email)).await;
    of_account.until_stopped(by_email, |status| *status).await;
    let owner = Elsewhere::at(system, 3);
    let rightly = async || owner.post(LOGIN, &right(&hers.username)).await;
    of_account.until_stopped(rightly, |status| *status).await;
    let other = Elsewhere::at(system, 4).post(LOGIN, &right(&his.username)).await;
    assert_eq!(other, 200, "another account was held up");
}

/// Who found an open phone may not try passwords with it.
async fn guesses_of_a_signed_in_thief_are_limited(bob: &Client) {
    let body = json!({ "current_password": "a guess of mine", "new_password": "anything else" });
    let mut tries = Tries::begin();
    let change = async || bob.post("/v1/auth/password/change", &body).await.unwrap();
    tries.until_stopped(change, |answer| answer.status).await;
    let body = json!({ "password": "a guess of mine" });
    let enrol = async || bob.post("/v1/auth/two-factor", &body).await.unwrap();
    let stopped = tries.until_stopped(enrol, |answer| answer.status).await;
    assert_throttled(&stopped, "3;w=60");
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
            statuses.push(answer);
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
