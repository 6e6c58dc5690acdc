//! `GET /v1/auth/sessions` — where one is signed in.

use std::process::ExitCode;

use protocol::body::{List, Session};
use service::{SessionList, SessionView};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_sessions(sessions: SessionList, request: Request) -> Result<Response, Rejection> {
    let caller = request.caller()?;
    let own = caller.identity().session_id;
    let listed = sessions.list(caller).await?;
    let items: Vec<Session> = listed.iter().map(|view| shown(view, view.id == own)).collect();
    Ok(http::ok(&List { items, next_cursor: None }))
}

fn shown(view: &SessionView, current: bool) -> Session {
    Session {
        id: view.id.0,
        device_name: view.device_name.clone(),
        address: view.address.clone(),
        created_at: view.created_at.to_string(),
        last_used_at: view.last_used_at.to_string(),
        current,
    }
}

pub fn main() -> ExitCode {
    http::serve(connect::session_list, list_sessions)
}
