//! What a socket hears, up to a mark.

use std::time::Duration;

use harness::{Heard, Socket, WAIT};
use protocol::frame::Said;
use tokio::time::Instant;

/// Everything that is heard until this comes, which is the last of it.
pub async fn heard_until(socket: &mut Socket, is_last: impl Fn(&Said) -> bool) -> Vec<Said> {
    heard_within(socket, WAIT, is_last).await
}

pub async fn heard_within(
    socket: &mut Socket,
    patience: Duration,
    is_last: impl Fn(&Said) -> bool,
) -> Vec<Said> {
    let until = Instant::now() + patience;
    let mut heard = Vec::new();
    loop {
        match socket.hear(until).await {
            Ok(Heard::Frame(frame)) => heard.push(frame.said),
            other => panic!("{other:?} after {heard:#?}"),
        }
        if heard.last().is_some_and(&is_last) {
            return heard;
        }
    }
}

/// Whether this is a push of a message with this text.
pub fn is_message(said: &Said, text: &str) -> bool {
    let Said::MessageNew(new) = said else { return false };
    new.messages.iter().any(|message| message.text.as_deref() == Some(text))
}
