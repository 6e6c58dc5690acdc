//! `PATCH /v1/conversations/{conversation_id}/members/{user_id}` — what a member may do.

use std::process::ExitCode;

use protocol::body::ChangeRole;
use protocol::value::Conversation;
use service::Groups;
use service::port::GroupChange;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn change_role(groups: Groups, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let user_id = request.member_id()?;
    let role = request.json::<ChangeRole>()?.parse()?;
    let changed = groups.change(caller, id, GroupChange::SetRole { user_id, role }).await?;
    Ok(http::ok(&Conversation::from(&changed)))
}

pub fn main() -> ExitCode {
    http::serve(connect::groups, change_role)
}
