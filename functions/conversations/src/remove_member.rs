//! `DELETE /v1/conversations/{conversation_id}/members/{user_id}` — remove somebody; `me` leaves.

use std::process::ExitCode;

use service::Groups;
use service::port::GroupChange;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn remove_member(groups: Groups, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let member = request.member_id()?;
    let is_me = member == caller.user_id();
    let change = if is_me { GroupChange::Leave } else { GroupChange::Remove(member) };
    groups.change(caller, id, change).await?;
    Ok(http::no_content())
}

pub fn main() -> ExitCode {
    http::serve(connect::groups, remove_member)
}
