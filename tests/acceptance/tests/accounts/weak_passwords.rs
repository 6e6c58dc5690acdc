//! Nobody gets an account whose password is among the first that anybody would try.

use harness::{Account, System};
use protocol::body::Register;

use crate::steps::refused_fields;

#[tokio::test]
async fn nobody_signs_up_with_a_password_that_is_easily_guessed() {
    let api = System::shared().await.unwrap().api().unwrap();
    let account = Account::new("brunhilde-okonkwo");
    let register = |password: &str| {
        let body = Register { password: Some(password.to_owned()), ..account.to_register() };
        let api = &api;
        async move { api.post("/v1/auth/register", &body).await.unwrap() }
    };
    let (name, email) = (account.username.as_str(), account.email.as_str());
    for weak in ["password", "qwertyuiop", "iloveyou", "aaaaaaaaaaaa", "okonkwo1", name, email] {
        let answer = register(weak).await;
        assert_eq!(answer.status, 422, "{weak}");
        let expected = [("password".to_owned(), "weak_password".to_owned())];
        assert_eq!(refused_fields(&answer), expected, "{weak}");
    }
    let long = "correct horse ".repeat(20);
    for odd in ["", "short", "       ", &long] {
        assert_eq!(refused_fields(&register(odd).await)[0].0, "password", "{odd:?}");
    }
    // The name is still free.
    register("пять жирных котов").await.expect_status(201).unwrap();
}
