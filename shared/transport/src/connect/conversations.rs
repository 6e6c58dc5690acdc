//! Conversations: opening them, looking at them, catching up with them.

use std::sync::Arc;

use postgres::PgConversations;
use service::{CatchUp, Conversations, Openings};

use super::Parts;
use super::groups::telling;
use super::pace::{Pace, opening_bucket};

pub fn openings(parts: &Parts) -> Openings {
    Openings {
        conversations: Arc::new(PgConversations::new(parts.database())),
        telling: telling(parts),
        limiter: Pace::new(parts.table(), vec![]),
        entropy: parts.entropy(),
        clock: parts.clock(),
        bucket: opening_bucket(parts),
    }
}

pub fn conversations(parts: &Parts) -> Conversations {
    Conversations { conversations: Arc::new(PgConversations::new(parts.database())) }
}

pub fn catch_up(parts: &Parts) -> CatchUp {
    CatchUp { feed: Arc::new(PgConversations::new(parts.database())) }
}
