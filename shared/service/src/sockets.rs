//! The life of a socket: ticket, connect, heartbeat, disconnect.

use std::sync::Arc;

use domain::{ConnectionId, ConversationId, Seq, Timestamp, limits};

use crate::port::{
    Behind, Clock, ConnectionStore, ConversationStore, Entropy, SessionStore, TicketStore,
};
use crate::{Caller, Connection, Error, Hangup};

/// Makes tickets for the upgrade, so that no access token is ever part of a URL.
#[derive(Clone)]
pub struct Tickets {
    pub sessions: Arc<dyn SessionStore>,
    pub tickets: Arc<dyn TicketStore>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl Tickets {
    /// A ticket for the caller's session; 401 once the session was revoked.
    pub async fn issue(&self, caller: Caller) -> Result<String, Error> {
        if !self.sessions.is_active(caller.identity()).await? {
            return Err(Error::unauthenticated());
        }
        let ticket = self.entropy.secret();
        let expires_at = self.clock.now().plus(limits::TICKET_LIFETIME);
        let digest = self.entropy.digest(&ticket);
        self.tickets.issue(&digest, caller.identity(), expires_at).await?;
        Ok(ticket)
    }
}

/// Opens sockets.
#[derive(Clone)]
pub struct Upgrades {
    pub tickets: Arc<dyn TicketStore>,
    pub connections: Arc<dyn ConnectionStore>,
    pub hangup: Hangup,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl Upgrades {
    /// Spends the ticket and records the connection before `$connect` is answered; 401
    /// `ticket_invalid` for an unknown, spent or expired one, and for one whose session has ended
    /// since. The eleventh socket of a user ends their oldest.
    pub async fn connect(&self, id: ConnectionId, ticket: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let digest = self.entropy.digest(ticket);
        let identity = self.tickets.redeem(&digest, now).await?.ok_or_else(ticket_invalid)?;
        let connection = Connection { id, identity, since: now, seen_at: now };
        if !self.connections.open(&connection).await? {
            return Err(ticket_invalid());
        }
        self.end_surplus(&connection, now).await
    }

    async fn end_surplus(&self, newest: &Connection, now: Timestamp) -> Result<(), Error> {
        let mut open = self.connections.of_users(&[newest.identity.user_id], now).await?;
        open.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        let surplus = open.len().saturating_sub(limits::SOCKETS_PER_USER);
        for connection in open.iter().filter(|c| c.id != newest.id).take(surplus) {
            self.hangup.end(connection, "too_many_sockets").await?;
        }
        Ok(())
    }
}

/// Forgets sockets that are gone.
#[derive(Clone)]
pub struct Closings {
    pub connections: Arc<dyn ConnectionStore>,
}

impl Closings {
    /// After `$disconnect`. One that was never recorded is fine.
    pub async fn disconnect(&self, id: &ConnectionId) -> Result<(), Error> {
        self.connections.close(id).await?;
        Ok(())
    }
}

fn ticket_invalid() -> Error {
    let detail = "the ticket is missing, unknown, spent or expired: ask for a new one";
    Error::Unauthenticated { code: "ticket_invalid", detail }
}

/// Keeps a connection's lease and tells the client what it missed.
#[derive(Clone)]
pub struct Heartbeats {
    pub connections: Arc<dyn ConnectionStore>,
    pub conversations: Arc<dyn ConversationStore>,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub now: Timestamp,
    pub behind: Vec<Behind>,
}

impl Heartbeats {
    /// Also re-creates what a stray 410 pruned. 401 for a connection that is not on record,
    /// or whose session has ended.
    pub async fn beat(
        &self,
        id: &ConnectionId,
        cursors: &[(ConversationId, Seq)],
    ) -> Result<Heartbeat, Error> {
        let now = self.clock.now();
        let Some(connection) = self.connections.touch(id, now).await? else {
            return Err(self.hangup.turn_away(id).await);
        };
        let user = connection.identity.user_id;
        let behind = self.conversations.behind(user, cursors).await?;
        Ok(Heartbeat { now, behind })
    }
}
