//! "Is typing": told at once or not at all.

use std::sync::Arc;

use domain::{ConnectionId, ConversationId, TokenBucket, limits};

use crate::port::{Acquaintances, Clock, ConnectionStore, RateLimiter};
use crate::{Delivery, Error, Event, Hangup};

/// `typing`
#[derive(Clone)]
pub struct Typing {
    pub acquaintances: Arc<dyn Acquaintances>,
    pub connections: Arc<dyn ConnectionStore>,
    pub limiter: Arc<dyn RateLimiter>,
    pub delivery: Delivery,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

/// One frame goes on each interval, and the one that says that they stopped.
const BUCKET: TokenBucket = TokenBucket { interval: limits::TYPING_INTERVAL, burst: 2 };

impl Typing {
    /// Tells at most 20 online members. 404 for who is no member; what comes too often is
    /// dropped, and so is what cannot be told.
    pub async fn say(
        &self,
        id: &ConnectionId,
        conversation_id: ConversationId,
        is_active: bool,
    ) -> Result<(), Error> {
        let Ok(found) = self.connections.get(id).await else { return Ok(()) };
        let Some(connection) = found else { return Err(self.hangup.turn_away(id).await) };
        let (user_id, now) = (connection.identity.user_id, self.clock.now());
        let scope = format!("typing/{user_id}");
        if !matches!(self.limiter.take(&scope, BUCKET, 1, now).await, Ok(Ok(_))) {
            return Ok(());
        }
        let peers = self.acquaintances.peers(user_id, conversation_id, limits::TYPING_MEMBERS);
        let Ok(peers) = peers.await else { return Ok(()) };
        let peers = peers.ok_or_else(Error::conversation_not_found)?;
        let Ok(mut online) = self.connections.of_users(&peers, now).await else { return Ok(()) };
        let place = |user| peers.iter().position(|peer| *peer == user);
        online.sort_by_key(|connection| place(connection.identity.user_id));
        let mut told: Vec<_> = online.iter().map(|other| other.identity.user_id).collect();
        told.dedup();
        told.truncate(limits::TYPING_AUDIENCE);
        online.retain(|other| told.contains(&other.identity.user_id));
        let lifetime = if is_active { limits::TYPING_LIFETIME } else { std::time::Duration::ZERO };
        let expires_in_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        let event = Event::Typing { conversation_id, user_id, is_active, expires_in_ms };
        self.delivery.mention(&event, online).await;
        Ok(())
    }
}
