//! Registering, signing in, and one's own account.

use harness::{Account, System};
use protocol::body::{Me, SignedIn};
use reqwest::Method;
use serde_json::json;

use crate::people::people;

#[tokio::test]
async fn a_taken_user_name_or_address_is_told() {
    let [ada] = people(["ada"]).await;
    let api = ada.api();
    let taken = ada.account().to_register();
    api.post("/v1/auth/register", &taken)
        .await
        .unwrap()
        .expect_problem(409, "username_taken")
        .unwrap();
    let mut other_name = Account::new("ada").to_register();
    other_name.email = Some(ada.account().email.to_uppercase());
    api.post("/v1/auth/register", &other_name)
        .await
        .unwrap()
        .expect_problem(409, "email_taken")
        .unwrap();
    let mut other_case = Account::new("ada").to_register();
    other_case.username = Some(ada.account().username.to_uppercase());
    api.post("/v1/auth/register", &other_case)
        .await
        .unwrap()
        .expect_problem(409, "username_taken")
        .unwrap();
}

#[tokio::test]
async fn one_signs_in_by_user_name_or_address_and_a_mistake_does_not_tell_which() {
    let [ada] = people(["ada"]).await;
    let login = |login: &str, password: &str| json!({ "login": login, "password": password });
    let upper = ada.account().email.to_uppercase();
    for name in [&ada.account().username, &ada.account().email, &upper] {
        let answer = ada.api().post("/v1/auth/login", &login(name, harness::PASSWORD)).await;
        let signed_in: SignedIn = answer.unwrap().expect(200).unwrap();
        assert_eq!((signed_in.user.id, signed_in.token_type.as_str()), (ada.id(), "Bearer"));
        assert_ne!(signed_in.session_id, ada.session_id);
    }
    let wrong = [
        login(&ada.account().username, "another password"),
        login("nobody-of-this-name", harness::PASSWORD),
        login("nobody@example.org", harness::PASSWORD),
        login("' OR '1'='1", harness::PASSWORD),
    ];
    let mut bodies = Vec::new();
    for body in wrong {
        let answer = ada.api().post("/v1/auth/login", &body).await.unwrap();
        let problem = answer.expect_problem(401, "invalid_credentials").unwrap();
        bodies.push((problem.title, problem.detail));
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "the answers differ: {bodies:?}");
}

#[tokio::test]
async fn a_person_changes_what_others_see_and_others_see_no_address() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let change = json!({ "display_name": "Ada L.", "bio": "Poetical science" });
    let request = ada.request(Method::PATCH, "/v1/users/me").json(&change);
    let changed: Me = ada.api().send(request).await.unwrap().expect(200).unwrap();
    assert_eq!(
        (changed.display_name.as_str(), changed.bio.as_str()),
        ("Ada L.", "Poetical science")
    );
    let me: Me = ada.get("/v1/users/me").await.unwrap().expect(200).unwrap();
    assert_eq!(me, changed);
    let seen = bob.get(&format!("/v1/users/{}", ada.id())).await.unwrap();
    assert!(!seen.text().contains(&ada.account().email), "{}", seen.text());
    assert_eq!(bob.profile_of(ada.id()).await.unwrap().display_name, "Ada L.");
}

#[tokio::test]
async fn no_answer_holds_the_password() {
    let api = System::shared().await.unwrap().api().unwrap();
    let account = Account::new("ada");
    let registered = api.post("/v1/auth/register", &account.to_register()).await.unwrap();
    let again = api.post("/v1/auth/register", &account.to_register()).await.unwrap();
    for answer in [registered, again] {
        assert!(!answer.text().contains(harness::PASSWORD));
        assert!(!answer.text().contains("argon2"));
    }
}
