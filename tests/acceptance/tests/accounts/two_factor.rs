//! A second factor: the codes of an authenticator app, and recovery codes for who has lost it.

use harness::{Answer, Authenticator, Client, PASSWORD};
use protocol::body::{RecoveryCodes, TwoFactorEnrolment};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::people;

const PATH: &str = "/v1/auth/two-factor";

async fn enrol(client: &Client, password: &str) -> Answer {
    client.post(PATH, &json!({ "password": password })).await.unwrap()
}

async fn confirm(client: &Client, code: &str) -> Answer {
    client.post("/v1/auth/two-factor/confirm", &json!({ "totp": code })).await.unwrap()
}

async fn login(client: &Client, password: &str, totp: Option<&str>) -> Answer {
    let mut body = json!({ "login": client.account().username, "password": password });
    if let Some(code) = totp {
        body["totp"] = code.into();
    }
    client.api().post("/v1/auth/login", &body).await.unwrap()
}

async fn delete(client: &Client, path: &str, body: &Value) -> Answer {
    let request = client.request(Method::DELETE, path).json(body);
    client.api().send(request).await.unwrap()
}

/// What one has who has turned it on.
struct SecondFactor {
    app: Authenticator,
    /// It was turned on with this one. The app may show another one by now, which is not spent.
    spent_code: String,
    recovery_codes: Vec<String>,
}

async fn with_second_factor(client: &Client) -> SecondFactor {
    let enrolment: TwoFactorEnrolment = enrol(client, PASSWORD).await.expect(201).unwrap();
    let app = Authenticator::scan(&enrolment.url).unwrap();
    let spent_code = app.code();
    let answer = confirm(client, &spent_code).await;
    let RecoveryCodes { recovery_codes } = answer.expect(200).unwrap();
    SecondFactor { app, spent_code, recovery_codes }
}

/// A code that the app does not show now, nor a step before or after.
fn wrong_code(app: &Authenticator) -> String {
    let near = [app.code(), app.next_code()];
    let candidates = (0..4).map(|digit| digit.to_string().repeat(6));
    candidates.into_iter().find(|code| !near.contains(code)).unwrap()
}

/// Thirty an hour, whatever the deployment says of sign-ins.
#[tokio::test]
async fn who_tries_many_codes_is_told_the_limit_of_codes() {
    let [ada] = people(["ada"]).await;
    let app = with_second_factor(&ada).await.app;
    let wrong = wrong_code(&app);
    let mut tried = 0;
    let stopped = loop {
        let answer = login(&ada, PASSWORD, Some(&wrong)).await;
        if answer.status == 429 {
            break answer;
        }
        answer.expect_problem(401, "totp_invalid").unwrap();
        tried += 1;
        // Every two minutes that all this takes give one more.
        assert!(tried < 40, "nobody is stopped");
    };
    assert!(tried >= 30, "stopped after {tried}");
    let problem = stopped.expect_problem(429, "too_many_requests").unwrap();
    let seconds = problem.retry_after_seconds.unwrap().to_string();
    let told = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy"];
    let told = told.map(|name| stopped.header(name).unwrap());
    assert_eq!(told, ["30", "0", seconds.as_str(), "30;w=3600"]);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_once_its_app_has_shown_a_code() {
    let [ada] = people(["ada"]).await;
    confirm(&ada, "123456").await.expect_problem(409, "two_factor_off").unwrap();
    let refused = enrol(&ada, "not my password").await;
    refused.expect_problem(403, "wrong_password").unwrap();
    let abandoned: TwoFactorEnrolment = enrol(&ada, PASSWORD).await.expect(201).unwrap();
    let enrolment: TwoFactorEnrolment = enrol(&ada, PASSWORD).await.expect(201).unwrap();
    assert!(enrolment.url.contains(&enrolment.secret), "{}", enrolment.url);
    assert_ne!(enrolment.secret, abandoned.secret);
    login(&ada, PASSWORD, None).await.expect_status(200).unwrap();
    let app = Authenticator::scan(&enrolment.url).unwrap();
    let of_abandoned = Authenticator::scan(&abandoned.url).unwrap().code();
    for wrong in [of_abandoned.as_str(), &wrong_code(&app), "x", "12345", "１２３４５６"] {
        confirm(&ada, wrong).await.expect_problem(403, "totp_invalid").unwrap();
    }
    for hostile in ["", "1\n2", &"1".repeat(65)] {
        confirm(&ada, hostile).await.expect_problem(422, "validation_failed").unwrap();
    }
    let answer = confirm(&ada, &app.code()).await;
    let codes: RecoveryCodes = answer.expect(200).unwrap();
    let mut codes = codes.recovery_codes;
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 10);
    enrol(&ada, PASSWORD).await.expect_problem(409, "two_factor_on").unwrap();
    confirm(&ada, &app.next_code()).await.expect_problem(409, "two_factor_off").unwrap();
    login(&ada, PASSWORD, None).await.expect_problem(401, "totp_required").unwrap();
    // Who does not know the password learns nothing of the second factor.
    for code in [None, Some(app.next_code())] {
        let answer = login(&ada, "not my password", code.as_deref()).await;
        answer.expect_problem(401, "invalid_credentials").unwrap();
    }
    ada.refreshed().await.unwrap();
}

#[tokio::test]
async fn a_code_of_the_app_lets_one_in_once() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let SecondFactor { app, spent_code, .. } = with_second_factor(&ada).await;
    let other_app = with_second_factor(&bob).await.app;
    let wrong = [spent_code, wrong_code(&app), other_app.next_code(), "' OR '1'='1".to_owned()];
    for code in &wrong {
        let answer = login(&ada, PASSWORD, Some(code)).await;
        answer.expect_problem(401, "totp_invalid").unwrap();
    }
    login(&ada, PASSWORD, Some(" ")).await.expect_problem(401, "totp_required").unwrap();
    let code = app.next_code();
    let as_shown = format!("{} {}", &code[..3], &code[3..]);
    let (one, other) =
        tokio::join!(login(&ada, PASSWORD, Some(&code)), login(&ada, PASSWORD, Some(&as_shown)));
    let (let_in, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    let_in.expect_status(200).unwrap();
    refused.expect_problem(401, "totp_invalid").unwrap();
    let replayed = login(&ada, PASSWORD, Some(&code)).await;
    replayed.expect_problem(401, "totp_invalid").unwrap();
}

#[tokio::test]
async fn a_recovery_code_works_once_for_who_has_lost_the_app() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let codes = with_second_factor(&ada).await.recovery_codes;
    let his = with_second_factor(&bob).await.recovery_codes;
    let foreign = login(&ada, PASSWORD, Some(&his[0])).await;
    foreign.expect_problem(401, "totp_invalid").unwrap();
    // As somebody types it from paper.
    let typed = format!(" {} ", codes[0].to_uppercase().replace('-', " "));
    login(&ada, PASSWORD, Some(&typed)).await.expect_status(200).unwrap();
    for again in [codes[0].as_str(), &typed, &codes[1][..codes[1].len() - 1]] {
        let answer = login(&ada, PASSWORD, Some(again)).await;
        answer.expect_problem(401, "totp_invalid").unwrap();
    }
    let last = Some(codes[9].as_str());
    let (one, other) = tokio::join!(login(&ada, PASSWORD, last), login(&ada, PASSWORD, last));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "of two at once, one is let in");
    login(&bob, PASSWORD, Some(&his[0])).await.expect_status(200).unwrap();
}

#[tokio::test]
async fn turning_it_off_and_leaving_ask_for_the_password_and_a_code() {
    let [ada, bob] = people(["ada", "bob"]).await;
    for (client, path, done) in [(&ada, PATH, 204), (&bob, "/v1/users/me", 202)] {
        let SecondFactor { app, spent_code, recovery_codes } = with_second_factor(client).await;
        let with = |password: &str, totp: &str| json!({ "password": password, "totp": totp });
        let bare = json!({ "password": PASSWORD });
        delete(client, path, &bare).await.expect_problem(403, "totp_required").unwrap();
        let wrong = with(PASSWORD, &wrong_code(&app));
        delete(client, path, &wrong).await.expect_problem(403, "totp_invalid").unwrap();
        let spent = with(PASSWORD, &spent_code);
        delete(client, path, &spent).await.expect_problem(403, "totp_invalid").unwrap();
        let guessed = with("not my password", &recovery_codes[0]);
        delete(client, path, &guessed).await.expect_problem(403, "wrong_password").unwrap();
        // All this changed nothing, and did not spend the code beside the wrong password.
        login(client, PASSWORD, None).await.expect_problem(401, "totp_required").unwrap();
        let right = with(PASSWORD, &recovery_codes[0]);
        delete(client, path, &right).await.expect_status(done).unwrap();
    }
    login(&ada, PASSWORD, None).await.expect_status(200).unwrap();
    login(&bob, PASSWORD, None).await.expect_problem(401, "invalid_credentials").unwrap();
    // It can be turned on anew, with another secret and other codes.
    let app = with_second_factor(&ada).await.app;
    login(&ada, PASSWORD, None).await.expect_problem(401, "totp_required").unwrap();
    login(&ada, PASSWORD, Some(&app.next_code())).await.expect_status(200).unwrap();
}
