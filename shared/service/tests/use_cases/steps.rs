//! The steps of several stories: what a worker does when it is its turn.

use std::time::Duration;

use domain::{ConnectionId, ConversationId, Password, Seq};
use service::{Caller, Error, Event, Progress};
use testkit::world::World;

/// Puts these messages into the history and tells them.
pub async fn say(world: &World, sender: Caller, to: ConversationId, numbers: &[u128]) {
    world.submit(sender, to, numbers).await;
    assert!(world.work(&world.archive()).await.is_empty());
}

/// What `fan-out-events` does until there is nothing left.
pub async fn fan_out(world: &World) {
    for _ in 0..100 {
        let jobs = world.queues.drain_fan_out();
        if jobs.is_empty() {
            return;
        }
        for job in jobs {
            world.fan_out().run(job).await.unwrap();
        }
    }
    panic!("the fan-out queue never ends");
}

/// What `record-receipts` does with everything that waits, in one batch.
pub async fn record(world: &World) {
    world.receipt_book().record(world.queues.drain_records()).await.unwrap();
}

/// What `announce-presence` does with what is due.
pub async fn announce(world: &World) {
    for user in world.queues.drain_presence() {
        world.presence_announcements().announce(user).await.unwrap();
    }
}

/// So many seconds later, with what became due in between.
pub async fn after_seconds(world: &World, seconds: u64) {
    world.clock.advance(Duration::from_secs(seconds));
    announce(world).await;
}

/// A person who has read up to here.
pub async fn read(world: &World, reader: Caller, conversation: ConversationId, seq: i64) {
    let progress = Progress { delivered: None, read: Some(Seq(seq)) };
    world.receipts().claim(reader, conversation, progress).await.unwrap();
}

/// What this socket heard since the last look, which `heard` counts.
pub fn news(world: &World, id: &ConnectionId, heard: &mut usize) -> Vec<Event> {
    let all = world.pusher.heard_by(id);
    let news = all[*heard..].to_vec();
    *heard = all.len();
    news
}

/// The name of what went wrong; of a field, its own.
pub fn code(error: &Error) -> &'static str {
    match error {
        Error::BadRequest { code, .. }
        | Error::Unauthenticated { code, .. }
        | Error::Forbidden { code, .. }
        | Error::NotFound { code, .. }
        | Error::Conflict { code, .. }
        | Error::Gone { code, .. } => code,
        Error::Invalid(fields) => fields.first().map_or("invalid", |field| field.code),
        Error::TooMany { .. } => "too_many",
        Error::Unavailable { .. } => "unavailable",
        Error::Bug { .. } => panic!("{error:?}"),
    }
}

pub fn password(raw: &str) -> Password {
    Password::parse(raw.to_owned()).unwrap()
}

/// Why this socket was ended, if it was.
pub fn farewell(world: &World, id: &ConnectionId) -> Option<&'static str> {
    let said = world.pusher.heard_by(id).into_iter().find_map(|event| match event {
        Event::Bye { reason, .. } => Some(reason),
        _ => None,
    });
    said.filter(|_| world.pusher.is_disconnected(id))
}
