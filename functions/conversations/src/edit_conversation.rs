//! `PATCH /v1/conversations/{conversation_id}` — its title, description, picture, history.

use std::process::ExitCode;

use protocol::body::EditConversation;
use protocol::value::Conversation;
use service::Groups;
use service::port::{GroupChange, GroupEdit};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn edit_conversation(groups: Groups, request: Request) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let body = request.json::<EditConversation>()?.parse()?;
    let edit = GroupEdit {
        title: body.title,
        description: body.description,
        avatar_url: body.avatar_url,
        shares_history: body.shares_history,
    };
    let edited = groups.change(caller, id, GroupChange::Edit(edit)).await?;
    Ok(http::ok(&Conversation::from(&edited)))
}

pub fn main() -> ExitCode {
    http::serve(connect::groups, edit_conversation)
}
