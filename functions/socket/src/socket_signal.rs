//! `typing` and `presence.watch` — the frames for which it matters who knows whom, so that those
//! which carry messages never wait for a database.

use std::process::ExitCode;

use protocol::frame::{PresenceChanged, PresenceWatch, TypingData};
use protocol::value::Presence;
use service::{PresenceView, PresenceWatches, Typing};
use transport::connect::SignalDesk;
use transport::socket::{self, Frame, Said};
use transport::{Rejection, connect};

pub async fn socket_signal(desk: SignalDesk, frame: Frame) -> Result<Option<Said>, Rejection> {
    match frame.frame_type() {
        "typing" => say(desk.typing, frame).await.map(|()| None),
        "presence.watch" => watch(desk.watches, frame).await.map(Some),
        _ => Err(Rejection::UnknownFrame),
    }
}

async fn say(typing: Typing, frame: Frame) -> Result<(), Rejection> {
    let (conversation_id, is_active) = frame.data::<TypingData>()?.parse()?;
    Ok(typing.say(&frame.connection_id, conversation_id, is_active).await?)
}

async fn watch(watches: PresenceWatches, frame: Frame) -> Result<Said, Rejection> {
    let people = frame.data::<PresenceWatch>()?.parse()?;
    let views = watches.watch(&frame.connection_id, &people).await?;
    Ok(Said::PresenceChanged(PresenceChanged { users: views.iter().map(shown).collect() }))
}

fn shown(view: &PresenceView) -> Presence {
    Presence {
        user_id: view.user_id.0,
        status: view.presence.as_str().to_owned(),
        last_seen_at: view.last_seen_at.map(|at| at.to_string()),
    }
}

pub fn main() -> ExitCode {
    socket::serve_frames(connect::signal_desk, socket_signal)
}
