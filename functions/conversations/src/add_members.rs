//! `POST /v1/conversations/{conversation_id}/members` — by admins and owners.

use std::process::ExitCode;

use protocol::body::AddMembers;
use protocol::value::Conversation;
use service::Groups;
use service::port::GroupChange;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn add_members(groups: Groups, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let people = request.json::<AddMembers>()?.parse()?;
    let changed = groups.change(caller, id, GroupChange::Add(people)).await?;
    Ok(http::ok(&Conversation::from(&changed)))
}

pub fn main() -> ExitCode {
    http::serve(connect::groups, add_members)
}
