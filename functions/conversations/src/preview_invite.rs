//! `GET /v1/invites/{token}` — what one would join.

use std::process::ExitCode;

use protocol::body::InvitePreview;
use service::Invites;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn preview_invite(invites: Invites, request: Request) -> Result<Response, Rejection> {
    let preview = invites.preview(request.caller()?, request.invite_token()?).await?;
    Ok(http::ok(&InvitePreview {
        conversation_id: preview.conversation_id.0,
        title: preview.title.to_string(),
        description: preview.description.map(|description| description.to_string()),
        avatar_url: preview.avatar_url.map(|url| url.as_str().to_owned()),
        member_count: preview.member_count,
        is_member: preview.is_member,
    }))
}

pub fn main() -> ExitCode {
    http::serve(connect::invites, preview_invite)
}
