//! People who know each other, and people who do not want to.

use std::sync::Arc;

use postgres::PgPeople;
use service::{Blocks, Contacts, PeopleSearch};

use super::Parts;
use super::pace::{Pace, contact_bucket};

pub fn contacts(parts: &Parts) -> Contacts {
    Contacts {
        contacts: Arc::new(PgPeople::new(parts.database())),
        limiter: Pace::new(parts.table(), vec![contact_bucket(parts)]),
        fan_out: parts.fan_out_queue(),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

pub fn people_search(parts: &Parts) -> PeopleSearch {
    PeopleSearch {
        people: Arc::new(PgPeople::new(parts.database())),
        limiter: Pace::new(parts.table(), vec![]),
        clock: parts.clock(),
    }
}

pub fn blocks(parts: &Parts) -> Blocks {
    Blocks { blocks: Arc::new(PgPeople::new(parts.database())), clock: parts.clock() }
}
