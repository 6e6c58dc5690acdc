//! `DELETE /v1/users/me` — end the account; what is left of it goes in a job.

use std::process::ExitCode;

use protocol::body::ProvePassword;
use service::Departures;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn erase_me(departures: Departures, request: Request) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let (password, code) = request.json::<ProvePassword>()?.parse()?;
    departures.leave(caller, password, code.as_deref()).await?;
    Ok(http::accepted_empty())
}

pub fn main() -> ExitCode {
    http::serve(connect::departures, erase_me)
}
