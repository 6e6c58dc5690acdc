//! `GET /v1/sync` — what changed for the caller since a cursor; without one, everything.

use std::process::ExitCode;

use protocol::body::Sync;
use service::CatchUp;
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

use crate::entry;

pub async fn sync_conversations(
    catch_up: CatchUp,
    request: Request,
) -> Result<Response, Rejection> {
    let (caller, page) = (request.caller()?, request.page()?);
    let changed = catch_up.sync(caller, page.cursor.as_deref(), page.limit).await?;
    Ok(http::ok(&Sync {
        conversations: changed.conversations.iter().map(entry::said).collect(),
        removed: changed.removed.iter().map(|conversation| conversation.0).collect(),
        next_cursor: changed.next_cursor,
        has_more: changed.has_more,
    }))
}

pub fn main() -> ExitCode {
    http::serve(connect::catch_up, sync_conversations)
}
