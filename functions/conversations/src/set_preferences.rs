//! `PUT /v1/conversations/{conversation_id}/preferences` — one's own side of it.

use std::process::ExitCode;

use protocol::body::{ChangePreferences, My};
use service::{PreferenceBook, Preferences};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn set_preferences(
    book: PreferenceBook,
    request: Request,
) -> Result<Response, Rejection> {
    let (caller, id) = (request.caller()?, request.conversation_id()?);
    let body = request.json::<ChangePreferences>()?.parse()?;
    let preferences =
        Preferences { muted_until: body.muted_until, archived: body.archived, pinned: body.pinned };
    let my = book.prefer(caller, id, preferences).await?;
    Ok(http::ok(&My::from(&my)))
}

pub fn main() -> ExitCode {
    http::serve(connect::preference_book, set_preferences)
}
