//! `heartbeat` — keep the connection's lease, and tell the client where it is behind.

use std::process::ExitCode;

use protocol::frame::{HeartbeatData, HeartbeatOk, Nudge};
use service::Heartbeats;
use transport::socket::{self, Frame, Said};
use transport::{Rejection, connect};

pub async fn socket_heartbeat(
    heartbeats: Heartbeats,
    frame: Frame,
) -> Result<Option<Said>, Rejection> {
    let cursors = frame.data::<HeartbeatData>()?.parse()?;
    let beat = heartbeats.beat(&frame.connection_id, &cursors).await?;
    let behind = beat.behind.into_iter().map(|behind| Nudge {
        conversation_id: behind.conversation_id.0,
        last_seq: behind.last_seq.0,
    });
    let now = beat.now.to_string();
    Ok(Some(Said::HeartbeatOk(HeartbeatOk { now, behind: behind.collect() })))
}

pub fn main() -> ExitCode {
    socket::serve_frames(connect::heartbeats, socket_heartbeat)
}
