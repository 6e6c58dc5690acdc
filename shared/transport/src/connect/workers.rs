//! What stands behind the queues and the schedule, and the state of health.

use std::sync::Arc;

use aws::SqsPersistLane;
use domain::limits;
use postgres::{PgMessages, PgProbe, PgReceipts, PgTraces, PgUpkeep};
use service::{Archive, Delivery, FanOut, Health, PresenceAnnouncements, ReceiptBook, Sweep};

use super::Parts;
use crate::config::name;

/// For functions that stand on nothing.
pub fn nothing(_parts: &Parts) {}

pub fn archive(parts: &Parts) -> Archive {
    let push_log = Arc::new(PgTraces::new(parts.database()));
    Archive {
        history: Arc::new(PgMessages::new(parts.database())),
        lane: Arc::new(SqsPersistLane::new(
            parts.clients.sqs(),
            parts.environment.text(name::PERSIST_QUEUE_URL),
            parts.environment.text(name::QUARANTINE_QUEUE_URL),
            parts.entropy(),
        )),
        delivery: parts.delivery(&parts.table(), push_log),
        clock: parts.clock(),
    }
}

pub fn fan_out(parts: &Parts) -> FanOut {
    FanOut { delivery: parts.delivery(&parts.table(), parts.receipt_queue()) }
}

pub fn receipt_book(parts: &Parts) -> ReceiptBook {
    let push_log = Arc::new(PgTraces::new(parts.database()));
    ReceiptBook {
        store: Arc::new(PgReceipts::new(parts.database())),
        push_log: push_log.clone(),
        delivery: parts.delivery(&parts.table(), push_log),
    }
}

pub fn announcements(parts: &Parts) -> PresenceAnnouncements {
    let table = parts.table();
    PresenceAnnouncements {
        presences: table.clone(),
        queue: parts.presence_queue(),
        delivery: Delivery { fan_out: parts.fan_out_queue(), ..parts.unnoted_delivery(&table) },
        clock: parts.clock(),
    }
}

pub fn sweep(parts: &Parts) -> Sweep {
    let table = parts.table();
    let push_log = Arc::new(PgTraces::new(parts.database()));
    Sweep {
        upkeep: Arc::new(PgUpkeep::new(parts.database())),
        copies: table.clone(),
        delivery: parts.delivery(&table, push_log),
        nudge_after: parts.seconds(name::NUDGE_AFTER_SECONDS, limits::NUDGE_AFTER),
    }
}

pub fn health(parts: &Parts) -> Health {
    Health { probes: vec![Arc::new(PgProbe::new(parts.database())), parts.table()] }
}
