//! `messages-to-persist.fifo` — turn accepted messages into history, then tell the members.

use std::process::ExitCode;

use service::Archive;
use transport::connect;
use transport::queue::{self, Batch, Failed};

pub async fn persist_messages(archive: Archive, batch: Batch) -> Failed {
    let deadline = batch.deadline;
    archive.persist(batch.persist_jobs(), deadline).await
}

pub fn main() -> ExitCode {
    queue::consume(connect::archive, persist_messages)
}
