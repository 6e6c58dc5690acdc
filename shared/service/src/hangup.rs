//! Ending sockets from our side.

use std::sync::Arc;

use domain::ConnectionId;

use crate::port::{Clock, ConnectionStore, Pusher};
use crate::{Connection, Error, Event, Identity};

/// Says `bye`, forgets the connection, and closes it.
#[derive(Clone)]
pub struct Hangup {
    pub connections: Arc<dyn ConnectionStore>,
    pub pusher: Arc<dyn Pusher>,
    pub clock: Arc<dyn Clock>,
}

impl Hangup {
    /// Every socket of one session, and none can be opened for it any more, though a ticket be
    /// out. One that cannot be ended does not spare the others.
    pub async fn end_session(&self, identity: Identity, reason: &'static str) -> Result<(), Error> {
        let open = self.connections.end_session(identity, self.clock.now()).await?;
        let mut ended = Ok(());
        for connection in open {
            ended = ended.and(self.end(&connection, reason).await);
        }
        ended
    }

    /// One socket. The `bye` is a courtesy: it may be lost.
    pub async fn end(&self, connection: &Connection, reason: &'static str) -> Result<(), Error> {
        let bye = Event::Bye { reason, reconnect_after_ms: 0 };
        self.pusher.push(&connection.id, &bye).await;
        let closed = self.connections.close(&connection.id, self.clock.now()).await;
        // Though it could not be forgotten: a socket that is gone says and hears nothing.
        let disconnected = self.pusher.disconnect(&connection.id).await;
        Ok(closed.map(drop).and(disconnected)?)
    }

    /// A socket that nobody is known behind: it is told so and closed. Answers the error that the
    /// frame ends with.
    pub async fn turn_away(&self, id: &ConnectionId) -> Error {
        let error = Error::unauthenticated();
        let said = Event::Error { code: "unauthenticated", detail: error.to_string() };
        self.pusher.push(id, &said).await;
        match self.pusher.disconnect(id).await {
            Ok(()) => error,
            Err(failure) => failure.into(),
        }
    }
}
