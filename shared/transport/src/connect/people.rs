//! People who know each other, and people who do not want to.

use std::sync::Arc;

use postgres::PgPeople;
use service::{
    Blocking, Blocks, ContactLists, Contacts, Introductions, PeopleSearch, PresencePartings,
};

use super::Parts;
use super::pace::{Pace, contact_bucket};

pub fn contact_lists(parts: &Parts) -> ContactLists {
    ContactLists { contacts: Arc::new(PgPeople::new(parts.database())) }
}

pub fn contacts(parts: &Parts) -> Contacts {
    Contacts {
        contacts: Arc::new(PgPeople::new(parts.database())),
        fan_out: parts.fan_out_queue(),
        clock: parts.clock(),
    }
}

pub fn introductions(parts: &Parts) -> Introductions {
    Introductions {
        contacts: contacts(parts),
        limiter: Pace::new(parts.table(), vec![contact_bucket(parts)]),
        entropy: parts.entropy(),
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
    Blocks { blocks: Arc::new(PgPeople::new(parts.database())) }
}

pub fn blocking(parts: &Parts) -> Blocking {
    let partings = PresencePartings {
        presences: parts.table(),
        fan_out: parts.fan_out_queue(),
        clock: parts.clock(),
    };
    let blocks = Arc::new(PgPeople::new(parts.database()));
    Blocking { blocks, partings, clock: parts.clock() }
}
