//! What every answer has, and whether the system is well.

use harness::System;

use crate::people::people;

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
