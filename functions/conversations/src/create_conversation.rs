//! `POST /v1/conversations` — open a direct conversation or a group.

use std::process::ExitCode;

use protocol::body::{CreateConversation, ParsedCreateConversation};
use protocol::value::Conversation;
use service::{GroupDraft, Openings};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn create_conversation(
    openings: Openings,
    request: Request,
) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let opened = match request.json::<CreateConversation>()?.parse()? {
        ParsedCreateConversation::Direct { other } => openings.open_direct(caller, other).await?,
        ParsedCreateConversation::Group { client_id, title, member_ids } => {
            openings.open_group(caller, GroupDraft { client_id, title, member_ids }).await?
        }
    };
    Ok(http::ok_or_created(opened.is_new, &Conversation::from(&opened.conversation)))
}

pub fn main() -> ExitCode {
    http::serve(connect::openings, create_conversation)
}
