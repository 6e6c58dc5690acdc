//! What proves who somebody is stands in no log.

use harness::{
    Authenticator, Client, PASSWORD, System, WAIT, eventually, root_directory, unique_name,
};
use protocol::body::{RecoveryCodes, SignedIn, TwoFactorEnrolment};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::people;
use crate::steps::{RESET, VERIFY, forgot, login, mailed_token, reset, verify};

fn log_of(system: &System) -> String {
    let path = root_directory().join("target/acceptance-logs");
    std::fs::read_to_string(path.join(format!("{}.log", system.stack()))).unwrap()
}

type Secrets = Vec<(&'static str, String)>;

/// Passwords that were refused: wrong ones, and those in bodies that cannot be read.
async fn refused_passwords(ada: &Client) -> Secrets {
    let (api, name) = (ada.api(), &ada.account().username);
    let typo = unique_name("nearly my password");
    login(api, ada.account(), &typo).await.expect_status(401).unwrap();
    let broken = unique_name("a password in half a body");
    let body = format!("{{\"login\":\"{name}\",\"password\":\"{broken}\",");
    let request = api.request(Method::POST, "/v1/auth/login").body(body);
    api.send(request).await.unwrap().expect_status(400).unwrap();
    let misplaced = json!({ "login": name, "password": { "is": broken } });
    api.post("/v1/auth/login", &misplaced).await.unwrap().expect_status(422).unwrap();
    vec![("a mistyped password", typo), ("a password in a bad body", broken)]
}

/// Both mails, each token used well and used again.
async fn mailed_tokens(ada: &Client, chosen: &str) -> Secrets {
    let api = ada.api();
    let verifying = mailed_token(ada, VERIFY, 1).await;
    verify(api, &verifying).await.expect_status(204).unwrap();
    verify(api, &verifying).await.expect_status(400).unwrap();
    forgot(api, &ada.account().email).await.expect_status(202).unwrap();
    let resetting = mailed_token(ada, RESET, 1).await;
    reset(api, &resetting, chosen).await.expect_status(204).unwrap();
    reset(api, &resetting, chosen).await.expect_status(400).unwrap();
    vec![("a token to verify with", verifying), ("a token to reset with", resetting)]
}

/// A second factor, and a sign-in with a recovery code.
async fn second_factor(ada: &Client, signed_in: &SignedIn, password: &str) -> Secrets {
    let post = async |path: &str, body: &Value| {
        let request = ada.api().request(Method::POST, path).bearer_auth(&signed_in.access_token);
        ada.api().send(request.json(body)).await.unwrap()
    };
    let enrolled = post("/v1/auth/two-factor", &json!({ "password": password })).await;
    let enrolment: TwoFactorEnrolment = enrolled.expect(201).unwrap();
    let code = Authenticator::scan(&enrolment.url).unwrap().code();
    let confirmed = post("/v1/auth/two-factor/confirm", &json!({ "totp": code })).await;
    let codes = confirmed.expect::<RecoveryCodes>(200).unwrap().recovery_codes;
    let (name, code) = (&ada.account().username, &codes[0]);
    let body = json!({ "login": name, "password": password, "totp": code });
    for status in [200, 401] {
        post("/v1/auth/login", &body).await.expect_status(status).unwrap();
    }
    let codes = codes.into_iter().map(|code| ("a recovery code", code));
    codes.chain([("the secret of an app", enrolment.secret)]).collect()
}

#[tokio::test]
async fn no_log_holds_a_password_a_token_or_a_code() {
    let system = System::shared().await.unwrap();
    let [ada] = people(["ada"]).await;
    let chosen = unique_name("purple bicycle");
    let mut secrets = refused_passwords(&ada).await;
    secrets.extend(mailed_tokens(&ada, &chosen).await);
    let answer = login(ada.api(), ada.account(), &chosen).await;
    let signed_in: SignedIn = answer.expect(200).unwrap();
    secrets.extend(second_factor(&ada, &signed_in, &chosen).await);
    ada.refresh().await.unwrap().expect_status(401).unwrap();
    secrets.extend([
        ("a password", PASSWORD.to_owned()),
        ("a chosen password", chosen),
        ("a refresh token", signed_in.refresh_token),
        ("an access token", signed_in.access_token),
        ("a refresh token that has ended", ada.refresh_token.clone()),
        ("an e-mail address", ada.account().email.clone()),
    ]);

    // Nothing would be found in a log that is another's, or that is not written yet.
    let is_written = || async { log_of(system).contains(&ada.id().to_string()).then_some(()) };
    eventually("the log tells of her", WAIT, is_written).await.unwrap();
    let log = log_of(system);
    for (what, secret) in &secrets {
        assert!(!log.contains(secret.as_str()), "the log holds {what}");
    }
}
