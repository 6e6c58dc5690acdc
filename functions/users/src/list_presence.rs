//! `GET /v1/presence` — who is there, of people whom the caller knows.

use std::process::ExitCode;

use protocol::body::PresenceList;
use protocol::value::Presence;
use service::{PresenceView, Presences};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_presence(presences: Presences, request: Request) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let views = presences.of_people(caller, &request.people()?).await?;
    Ok(http::ok(&PresenceList { items: views.iter().map(shown).collect() }))
}

fn shown(view: &PresenceView) -> Presence {
    Presence {
        user_id: view.user_id.0,
        status: view.presence.as_str().to_owned(),
        last_seen_at: view.last_seen_at.map(|at| at.to_string()),
    }
}

pub fn main() -> ExitCode {
    http::serve(connect::presences, list_presence)
}
