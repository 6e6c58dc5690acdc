//! `GET /health/live` — the function runs.

use std::process::ExitCode;

use protocol::body::HealthReport;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn check_liveness(_nothing: (), _request: Request) -> Result<Response, Rejection> {
    Ok(http::ok(&HealthReport { status: "ok".to_owned(), down: vec![] }))
}

pub fn main() -> ExitCode {
    http::serve_open(connect::nothing, check_liveness)
}
