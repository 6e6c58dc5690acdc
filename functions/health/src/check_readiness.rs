//! `GET /health/ready` — what the functions stand on is there; 503 names what is down.

use std::process::ExitCode;

use protocol::body::HealthReport;
use service::Health;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn check_readiness(health: Health, _request: Request) -> Result<Response, Rejection> {
    let down: Vec<_> = health.down().await.into_iter().map(str::to_owned).collect();
    if down.is_empty() {
        return Ok(http::ok(&HealthReport { status: "ok".to_owned(), down }));
    }
    Ok(http::unavailable(&HealthReport { status: "unavailable".to_owned(), down }))
}

pub fn main() -> ExitCode {
    http::serve_open(connect::health, check_readiness)
}
