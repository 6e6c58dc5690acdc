//! Messages: sending, reading and changing them, and how far members have got.

use std::sync::Arc;

use aws::SqsPersistQueue;
use postgres::{PgMessages, PgReceipts, PgTraces};
use service::{History, Messages, Reactors, ReceiptMarks, Receipts, Revisions, Traces};

use super::Parts;
use super::pace::{Pace, message_bucket};
use crate::config::name;

pub fn messages(parts: &Parts) -> Messages {
    let table = parts.table();
    let queue_url = parts.environment.text(name::PERSIST_QUEUE_URL);
    Messages {
        gate: table.clone(),
        limiter: Pace::new(table, vec![]),
        queue: Arc::new(SqsPersistQueue::new(parts.clients.sqs(), queue_url, parts.entropy())),
        entropy: parts.entropy(),
        clock: parts.clock(),
        bucket: message_bucket(parts),
    }
}

pub fn history(parts: &Parts) -> History {
    History { store: Arc::new(PgMessages::new(parts.database())) }
}

pub fn revisions(parts: &Parts) -> Revisions {
    Revisions {
        changes: Arc::new(PgMessages::new(parts.database())),
        fan_out: parts.fan_out_queue(),
        limiter: Pace::new(parts.table(), vec![]),
        clock: parts.clock(),
        bucket: message_bucket(parts),
    }
}

pub fn reactors(parts: &Parts) -> Reactors {
    Reactors { changes: Arc::new(PgMessages::new(parts.database())) }
}

pub fn traces(parts: &Parts) -> Traces {
    Traces { store: Arc::new(PgTraces::new(parts.database())) }
}

pub fn receipts(parts: &Parts) -> Receipts {
    Receipts { gate: parts.table(), queue: parts.receipt_queue() }
}

pub fn receipt_marks(parts: &Parts) -> ReceiptMarks {
    ReceiptMarks { store: Arc::new(PgReceipts::new(parts.database())) }
}
