//! `GET /v1/conversations/{conversation_id}/receipts` — how far the members have got.

use std::process::ExitCode;

use protocol::body::ReceiptList;
use protocol::value;
use service::{MemberMarks, ReceiptMarks};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_receipts(marks: ReceiptMarks, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let of_members = marks.of_members(caller, id).await?;
    Ok(http::ok(&ReceiptList { items: of_members.iter().map(shown).collect() }))
}

fn shown(member: &MemberMarks) -> value::MemberMarks {
    let MemberMarks { user_id, marks } = member;
    let (delivered, read) = (marks.delivered.0, marks.read.0);
    value::MemberMarks { user_id: user_id.0, delivered, read }
}

pub fn main() -> ExitCode {
    http::serve(connect::receipt_marks, list_receipts)
}
