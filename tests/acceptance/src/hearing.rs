//! What a socket hears, up to a mark.

use std::time::Duration;

use futures::future::join_all;
use harness::{Heard, Socket, WAIT};
use protocol::frame::{Said, Typing};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

/// Everything that is heard until this comes, which is the last of it.
pub async fn heard_until(socket: &mut Socket, is_last: impl Fn(&Said) -> bool) -> Vec<Said> {
    let until = Instant::now() + WAIT;
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

/// A little more than the interval in which one "is typing" is let through.
pub const BETWEEN_TYPINGS: Duration = Duration::from_millis(3_500);

/// Says that somebody types, or has stopped, until each of these has heard it, and answers what
/// each was told. Typing is told once, in half a second, or not at all: one that nobody heard in
/// its interval is said again, as an app does at the next key. What else the listeners hear stays
/// for later.
pub async fn told_typing(
    speaker: &mut Socket,
    listeners: &mut [Socket],
    conversation: Uuid,
    is_active: bool,
) -> Vec<Typing> {
    let data = json!({ "conversation_id": conversation, "active": is_active });
    let until = Instant::now() + WAIT;
    let mut told: Vec<Option<Typing>> = vec![None; listeners.len()];
    while told.iter().any(Option::is_none) {
        assert!(Instant::now() < until, "typing is not heard: {told:?}");
        speaker.say_frame("typing", data.clone()).await.unwrap();
        let listening = listeners.iter_mut().zip(&mut told).filter(|(_, told)| told.is_none());
        let heard = listening.map(|(socket, told)| async {
            socket.be_patient(BETWEEN_TYPINGS);
            *told = socket.wait_for("typing", |heard| typing(heard, is_active)).await.ok();
            socket.be_patient(WAIT);
        });
        join_all(heard).await;
    }
    told.into_iter().flatten().collect()
}

fn typing(heard: &Heard, is_active: bool) -> Option<Typing> {
    let Heard::Frame(frame) = heard else { return None };
    let Said::Typing(typing) = &frame.said else { return None };
    (typing.active == is_active).then(|| typing.clone())
}
