//! `POST /v1/conversations/{conversation_id}/receipts` — how far a device has got. No database on
//! this path: receipts are merged by their worker.

use std::process::ExitCode;

use protocol::value;
use service::{Progress, Receipts};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn record_receipt(receipts: Receipts, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let claim = request.json::<value::Progress>()?.parse()?;
    let progress = Progress { delivered: claim.delivered, read: claim.read };
    receipts.claim(caller, id, progress).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::receipts, record_receipt)
}
