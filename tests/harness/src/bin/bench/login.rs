//! Whether the time of an answer tells who has an account.

use std::time::{Duration, Instant};

use harness::{Account, Api, Client, Failure, PASSWORD, Result};
use serde_json::{Value, json};

use crate::ratio::{Ratio, median, percentile};

/// Asked and thrown away, so that every function and every connection is warm.
const WARMING: usize = 10;

/// A question that is asked again and again, with the times of its answers.
struct Question {
    what: &'static str,
    path: &'static str,
    body: Value,
    status: u16,
    took_ms: Vec<f64>,
}

impl Question {
    fn login(what: &'static str, login: &str, password: &str, status: u16) -> Self {
        let body = json!({ "login": login, "password": password, "device_name": "a bench" });
        Self { what, path: "/v1/auth/login", body, status, took_ms: vec![] }
    }

    fn forgot(what: &'static str, email: &str) -> Self {
        let body = json!({ "email": email });
        Self { what, path: "/v1/auth/password/forgot", body, status: 202, took_ms: vec![] }
    }

    async fn ask(&self, api: &Api) -> Result<Duration> {
        let begun = Instant::now();
        let answer = api.post(self.path, &self.body).await?;
        let took = begun.elapsed();
        if answer.status == 429 {
            return Err(Failure::new(
                "the system limits sign-ins, so this would measure the limit: measure without \
                 --url, or start the gateway with LoginsPerMinute and MailsPerHour at 100000",
            ));
        }
        answer.expect_status(self.status)?;
        Ok(took)
    }
}

/// Every question so many `times`, mixed anew in each round: whatever else the machine does
/// meets all of them alike. One at a time, so that none waits for another.
pub async fn report(api: &Api, times: usize) -> Result<()> {
    let ada = Client::register(api, "ada").await?;
    let known = ada.account();
    let (nobody, nobody_else) = (Account::new("nobody"), Account::new("nobody"));
    let wrong = "not her password at all";
    let mut logins = [
        Question::login("unknown name", &nobody.username, wrong, 401),
        Question::login("another unknown name", &nobody_else.username, wrong, 401),
        Question::login("unknown address", &nobody.email, wrong, 401),
        Question::login("known name, wrong password", &known.username, wrong, 401),
        Question::login("known address, wrong password", &known.email, wrong, 401),
        // For comparison: this one may take longer, since it opens a session.
        Question::login("known name, right password", &known.username, PASSWORD, 200),
    ];
    let mut forgotten = [
        Question::forgot("unknown address", &nobody.email),
        Question::forgot("another unknown address", &nobody_else.email),
        Question::forgot("known address", &known.email),
    ];
    println!("POST /v1/auth/login");
    measure(api, &mut logins, times).await?;
    println!("\nPOST /v1/auth/password/forgot");
    measure(api, &mut forgotten, times).await
}

/// Prints each with its ratio to the first. The second is the same question about somebody else:
/// how far its ratio is from 1 is what noise alone does.
async fn measure(api: &Api, questions: &mut [Question], times: usize) -> Result<()> {
    for question in &*questions {
        for _ in 0..WARMING {
            question.ask(api).await?;
        }
    }
    let mut order: Vec<usize> = (0..questions.len()).collect();
    for _ in 0..times {
        fastrand::shuffle(&mut order);
        for index in &order {
            let took = questions[*index].ask(api).await?;
            questions[*index].took_ms.push(took.as_secs_f64() * 1000.0);
        }
    }
    let first = &questions[0].took_ms;
    for (index, Question { what, took_ms, .. }) in questions.iter().enumerate() {
        let (p50, p95) = (median(took_ms), percentile(took_ms, 95));
        print!("  {what:<30} median {p50:7.2} ms, p95 {p95:7.2} ms");
        match index {
            0 => println!(" ({times} times)"),
            _ => println!("; ratio {}", Ratio::of_medians(took_ms, first)),
        }
    }
    Ok(())
}
