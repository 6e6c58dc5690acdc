//! Sockets: their tickets, their life, and what is said on them.

use std::sync::Arc;

use domain::limits;
use postgres::{PgAccounts, PgConversations};
use service::{
    Closings, Heartbeats, PresenceStatus, PresenceWatches, SocketMessages, SocketReceipts, Tickets,
    Turnout, Typing, Upgrades,
};

use super::Parts;
use super::accounts::presences;
use super::messages::{messages, receipts};
use super::pace::{Pace, ticket_bucket};
use crate::Rejection;
use crate::config::name;

/// Hands out tickets, and says where they are to be used.
#[derive(Clone)]
pub struct TicketDesk {
    pub tickets: Tickets,
    /// Absolute, without the ticket.
    pub socket_url: String,
}

pub fn ticket_desk(parts: &Parts) -> TicketDesk {
    let tickets = Tickets {
        sessions: Arc::new(PgAccounts::new(parts.database())),
        tickets: parts.table(),
        limiter: Pace::new(parts.table(), vec![ticket_bucket(parts)]),
        entropy: parts.entropy(),
        clock: parts.clock(),
    };
    TicketDesk { tickets, socket_url: parts.environment.text(name::SOCKET_URL) }
}

fn turnout(parts: &Parts) -> Turnout {
    Turnout { presences: parts.table(), queue: parts.presence_queue() }
}

fn upgrades(parts: &Parts) -> Upgrades {
    let table = parts.table();
    Upgrades {
        tickets: table.clone(),
        connections: table.clone(),
        turnout: turnout(parts),
        hangup: parts.hangup(&table),
        entropy: parts.entropy(),
        clock: parts.clock(),
    }
}

/// Opens sockets for pages that may have them.
#[derive(Clone)]
pub struct FrontDoor {
    pub upgrades: Upgrades,
    pub origins: Origins,
}

/// The web origins whose pages may open a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// A list with commas between; `*` stands for any.
    pub(crate) fn new(list: &str) -> Self {
        Self(list.split(',').map(|origin| origin.trim().to_ascii_lowercase()).collect())
    }

    /// Only browsers send an origin, so a client without one is no page. 403 for a foreign one.
    pub fn check(&self, origin: Option<&str>) -> Result<(), Rejection> {
        let is_known = |origin: &str| {
            self.0.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(origin))
        };
        if origin.is_none_or(is_known) {
            return Ok(());
        }
        let detail = "pages of this origin may not open a socket";
        Err(service::Error::Forbidden { code: "origin_not_allowed", detail }.into())
    }
}

pub fn front_door(parts: &Parts) -> FrontDoor {
    let origins = Origins::new(&parts.environment.text(name::ALLOWED_ORIGINS));
    FrontDoor { upgrades: upgrades(parts), origins }
}

pub fn closings(parts: &Parts) -> Closings {
    Closings { connections: parts.table(), turnout: turnout(parts), clock: parts.clock() }
}

pub fn heartbeats(parts: &Parts) -> Heartbeats {
    let table = parts.table();
    Heartbeats {
        connections: table.clone(),
        sessions: Arc::new(PgAccounts::new(parts.database())),
        conversations: Arc::new(PgConversations::new(parts.database())),
        hangup: parts.hangup(&table),
        pusher: parts.pusher(),
        entropy: parts.entropy(),
        clock: parts.clock(),
        bye_after: parts.seconds(name::BYE_AFTER_SECONDS, limits::BYE_AFTER),
    }
}

/// Takes the frames that need no database.
#[derive(Clone)]
pub struct FrameDesk {
    pub messages: SocketMessages,
    pub receipts: SocketReceipts,
    pub status: PresenceStatus,
}

pub fn frame_desk(parts: &Parts) -> FrameDesk {
    let table = parts.table();
    let hangup = parts.hangup(&table);
    FrameDesk {
        messages: SocketMessages { messages: messages(parts), hangup: hangup.clone() },
        receipts: SocketReceipts { receipts: receipts(parts), hangup: hangup.clone() },
        status: PresenceStatus {
            presences: table.clone(),
            connections: table.clone(),
            queue: parts.presence_queue(),
            limiter: table,
            hangup,
            clock: parts.clock(),
        },
    }
}

/// Takes the frames for which it matters who knows whom.
#[derive(Clone)]
pub struct SignalDesk {
    pub typing: Typing,
    pub watches: PresenceWatches,
}

pub fn signal_desk(parts: &Parts) -> SignalDesk {
    let table = parts.table();
    let hangup = parts.hangup(&table);
    SignalDesk {
        typing: Typing {
            acquaintances: Arc::new(PgConversations::new(parts.database())),
            connections: table.clone(),
            limiter: table.clone(),
            // Who types is told at once or not at all.
            delivery: parts.unnoted_delivery(&table),
            hangup: hangup.clone(),
            clock: parts.clock(),
        },
        watches: PresenceWatches {
            presences: presences(parts),
            connections: table.clone(),
            queue: parts.presence_queue(),
            limiter: table,
            hangup,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_page_is_refused_and_a_client_that_is_no_page_is_not() {
        let origins = Origins::new("https://chat.example, https://admin.example");
        assert!(origins.check(None).is_ok());
        assert!(origins.check(Some("https://CHAT.example")).is_ok());
        for foreign in ["https://evil.example", "null", "", "https://chat.example.evil"] {
            assert!(origins.check(Some(foreign)).is_err(), "{foreign:?}");
        }
        assert!(Origins::new("*").check(Some("https://evil.example")).is_ok());
    }
}
