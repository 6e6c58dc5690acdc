//! The life of a socket: ticket, connect, heartbeat, disconnect.

use std::sync::Arc;
use std::time::Duration;

use domain::{ConnectionId, ConversationId, Seq, Timestamp, TokenBucket, UserId, limits};
use futures::try_join;
use tokio::time::timeout;

use crate::pace::throttle;
use crate::port::{
    Behind, Clock, ConnectionStore, ConversationStore, Entropy, PresenceQueue, PresenceStore,
    Pusher, RateLimiter, SessionStore, TicketStore,
};
use crate::presences::{COURTESY_BUDGET, announce_soon};
use crate::{Caller, Connection, Error, Event, Hangup};

/// Makes tickets for the upgrade, so that no access token is ever part of a URL.
#[derive(Clone)]
pub struct Tickets {
    pub sessions: Arc<dyn SessionStore>,
    pub tickets: Arc<dyn TicketStore>,
    pub limiter: Arc<dyn RateLimiter>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

const TICKETS: TokenBucket = TokenBucket::per_minute(limits::TICKETS_PER_MINUTE);

impl Tickets {
    /// A ticket for the caller's session; 401 once the session was revoked, 429 for who takes
    /// one after the other.
    pub async fn issue(&self, caller: Caller) -> Result<String, Error> {
        if !self.sessions.is_active(caller.identity()).await? {
            return Err(Error::unauthenticated());
        }
        let scope = format!("ticket/{}", caller.user_id());
        throttle(&*self.limiter, &*self.clock, &scope, TICKETS).await?;
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
    pub turnout: Turnout,
    pub hangup: Hangup,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

/// Notices when a person comes or goes.
#[derive(Clone)]
pub struct Turnout {
    pub presences: Arc<dyn PresenceStore>,
    pub queue: Arc<dyn PresenceQueue>,
}

impl Turnout {
    /// Has their watchers told, if there is anything new. Presence is a courtesy: what fails here
    /// shows at the next watch, fails nothing else, and holds nothing up.
    async fn note(&self, user: UserId, now: Timestamp) {
        let noted = async {
            match self.presences.of_users(&[user], now).await {
                Ok(sightings) => {
                    if let Some(news) = sightings.first().filter(|sighting| sighting.is_news()) {
                        announce_soon(&*self.queue, news).await;
                    }
                }
                Err(failure) => {
                    tracing::warn!(error = %failure, user_id = %user, "presence is not looked at");
                }
            }
        };
        if timeout(COURTESY_BUDGET, noted).await.is_err() {
            tracing::warn!(user_id = %user, "a change of presence is not told in time");
        }
    }
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
        self.turnout.note(identity.user_id, now).await;
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
    pub turnout: Turnout,
    pub clock: Arc<dyn Clock>,
}

impl Closings {
    /// After `$disconnect`. One that was never recorded is fine.
    pub async fn disconnect(&self, id: &ConnectionId) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some(closed) = self.connections.close(id, now).await? {
            self.turnout.note(closed.identity.user_id, now).await;
        }
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
    pub sessions: Arc<dyn SessionStore>,
    pub conversations: Arc<dyn ConversationStore>,
    pub hangup: Hangup,
    pub pusher: Arc<dyn Pusher>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    /// The age from which a socket is asked to make way.
    pub bye_after: Duration,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub now: Timestamp,
    pub behind: Vec<Behind>,
}

impl Heartbeats {
    /// Also re-creates what a stray 410 pruned. 401 for a connection that is not on record, or
    /// whose session has ended: what an end of a session could not tell its sockets, for a crash
    /// or an outage, is made up for here.
    pub async fn beat(
        &self,
        id: &ConnectionId,
        cursors: &[(ConversationId, Seq)],
    ) -> Result<Heartbeat, Error> {
        let now = self.clock.now();
        let Some(connection) = self.connections.touch(id, now).await? else {
            return Err(self.hangup.turn_away(id).await);
        };
        let identity = connection.identity;
        let (is_active, behind) = try_join!(
            self.sessions.is_active(identity),
            self.conversations.behind(identity.user_id, cursors),
        )?;
        if !is_active {
            self.hangup.end_session(identity, "session_revoked").await?;
            return Err(Error::unauthenticated());
        }
        if now.since(connection.since) >= self.bye_after {
            self.ask_to_make_way(&connection).await;
        }
        Ok(Heartbeat { now, behind })
    }

    /// API Gateway ends every socket after two hours. Said again with each heartbeat, since it
    /// may be lost.
    async fn ask_to_make_way(&self, connection: &Connection) {
        let spread = self.bye_after / limits::RECONNECT_SPREAD;
        let spread_ms = u64::try_from(spread.as_millis()).unwrap_or(u64::MAX).max(1);
        let reconnect_after_ms = self.entropy.uuid_v7().as_u64_pair().1 % spread_ms;
        let bye = Event::Bye { reason: "socket_is_old", reconnect_after_ms };
        self.pusher.push(&connection.id, &bye).await;
    }
}
