//! `presence-to-announce` — look again who is there, and tell those who watch what is new.

use std::process::ExitCode;

use service::PresenceAnnouncements;
use transport::connect;
use transport::queue::{self, Batch, Failed};

pub async fn announce_presence(announcements: PresenceAnnouncements, batch: Batch) -> Failed {
    batch.each_announcement(|user| announcements.announce(user)).await
}

pub fn main() -> ExitCode {
    queue::consume(connect::announcements, announce_presence)
}
