//! What DynamoDB keeps, in one map each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{
    ConnectionId, ConversationId, Seq, SessionId, Timestamp, TokenBucket, UserId, limits,
};
use service::port::{
    ConnectionStore, Failure, KeyDirectory, MembershipCopies, MembershipCopy, Probe, PublicKey,
    RateLimiter, SendGate, Standing, TicketStore,
};
use service::{Connection, Identity};

use super::presence::PresenceBook;

/// Every port of the live table over one lock.
#[derive(Default)]
pub struct FakeLive {
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    is_down: bool,
    pub(super) tickets: BTreeMap<String, (Identity, Timestamp)>,
    /// `C#…`: as it was when the socket opened.
    pub(super) records: BTreeMap<ConnectionId, Connection>,
    /// `U#…`: with the last heartbeat.
    pub(super) live: BTreeMap<(UserId, ConnectionId), Connection>,
    pub(super) ended_sessions: BTreeSet<SessionId>,
    pub(super) presence: PresenceBook,
    copies: BTreeMap<(ConversationId, UserId), MembershipCopy>,
    buckets: BTreeMap<String, Timestamp>,
    keys: BTreeSet<PublicKey>,
}

impl FakeLive {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Makes every call fail as an outage does, or ends the outage.
    pub fn set_down(&self, is_down: bool) {
        self.lock().is_down = is_down;
    }

    /// The newest copies, for a test that wants to see them.
    pub fn membership_copies(&self) -> Vec<MembershipCopy> {
        self.lock().copies.values().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reach(&self) -> Result<MutexGuard<'_, State>, Failure> {
        let state = self.lock();
        if state.is_down {
            return Err(Failure::unavailable("dynamodb", "a test took it down"));
        }
        Ok(state)
    }
}

pub(super) fn is_recorded(connection: &Connection, now: Timestamp) -> bool {
    now < connection.since.plus(limits::CONNECTION_RECORD_LIFETIME)
}

pub(super) fn is_leased(connection: &Connection, now: Timestamp) -> bool {
    is_recorded(connection, now) && now < connection.seen_at.plus(limits::CONNECTION_LEASE)
}

fn key_of(connection: &Connection) -> (UserId, ConnectionId) {
    (connection.identity.user_id, connection.id.clone())
}

#[async_trait]
impl TicketStore for FakeLive {
    async fn issue(
        &self,
        digest: &str,
        identity: Identity,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        self.reach()?.tickets.insert(digest.to_owned(), (identity, expires_at));
        Ok(())
    }

    async fn redeem(&self, digest: &str, now: Timestamp) -> Result<Option<Identity>, Failure> {
        let ticket = self.reach()?.tickets.remove(digest);
        Ok(ticket.filter(|(_, expires_at)| now < *expires_at).map(|(identity, _)| identity))
    }
}

#[async_trait]
impl ConnectionStore for FakeLive {
    async fn open(&self, connection: &Connection) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        if state.ended_sessions.contains(&connection.identity.session_id) {
            return Ok(false);
        }
        let record = Connection { seen_at: connection.since, ..connection.clone() };
        state.records.insert(connection.id.clone(), record);
        state.live.insert(key_of(connection), connection.clone());
        state.presence.begin(connection);
        state.note(connection, connection.seen_at);
        Ok(true)
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        Ok(self.reach()?.records.get(id).cloned())
    }

    async fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        let mut state = self.reach()?;
        let Some(record) = state.records.get(id).filter(|record| is_recorded(record, now)) else {
            return Ok(None);
        };
        if state.ended_sessions.contains(&record.identity.session_id) {
            return Ok(None);
        }
        let touched = Connection { seen_at: now, ..record.clone() };
        state.live.insert(key_of(&touched), touched.clone());
        state.note(&touched, now);
        Ok(Some(touched))
    }

    async fn close(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        let mut state = self.reach()?;
        let closed = state.records.remove(id);
        if let Some(connection) = &closed {
            state.live.remove(&key_of(connection));
            state.note(connection, now);
            state.presence.forget(id);
        }
        Ok(closed)
    }

    async fn prune(&self, connection: &Connection) -> Result<(), Failure> {
        self.reach()?.live.remove(&key_of(connection));
        Ok(())
    }

    async fn end_session(
        &self,
        identity: Identity,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        let mut state = self.reach()?;
        state.ended_sessions.insert(identity.session_id);
        state.presence.end_session(identity.session_id);
        let of_session = |c: &&Connection| c.identity == identity && is_recorded(c, now);
        Ok(state.live.values().filter(of_session).cloned().collect())
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Connection>, Failure> {
        let state = self.reach()?;
        let wanted: BTreeSet<_> = users.iter().collect();
        let leased = |c: &&Connection| wanted.contains(&c.identity.user_id) && is_leased(c, now);
        Ok(state.live.values().filter(leased).cloned().collect())
    }
}

impl State {
    fn is_member(&self, user: UserId, conversation_id: ConversationId) -> bool {
        self.copies.get(&(conversation_id, user)).is_some_and(|copy| copy.is_active)
    }
}

#[async_trait]
impl SendGate for FakeLive {
    async fn of_connection(
        &self,
        connection_id: &ConnectionId,
        conversation_id: ConversationId,
    ) -> Result<Standing, Failure> {
        let state = self.reach()?;
        let connection = state.records.get(connection_id).cloned();
        let user = connection.as_ref().map(|connection| connection.identity.user_id);
        let is_member = user.is_some_and(|user| state.is_member(user, conversation_id));
        Ok(Standing { connection, is_member })
    }

    async fn is_member(
        &self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<bool, Failure> {
        Ok(self.reach()?.is_member(user, conversation_id))
    }
}

#[async_trait]
impl MembershipCopies for FakeLive {
    async fn write(&self, copies: &[MembershipCopy]) -> Result<(), Failure> {
        let mut state = self.reach()?;
        for copy in copies {
            let key = (copy.conversation_id, copy.user_id);
            let known: Option<Seq> = state.copies.get(&key).map(|known| known.version);
            if known.is_none_or(|version| version < copy.version) {
                state.copies.insert(key, *copy);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl RateLimiter for FakeLive {
    async fn take(
        &self,
        scope: &str,
        bucket: TokenBucket,
        count: u32,
        now: Timestamp,
    ) -> Result<Result<Timestamp, u64>, Failure> {
        let mut state = self.reach()?;
        match bucket.take(state.buckets.get(scope).copied(), count, now) {
            Ok(full_at) => {
                state.buckets.insert(scope.to_owned(), full_at);
                Ok(Ok(full_at))
            }
            Err(wait) => Ok(Err(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))),
        }
    }
}

#[async_trait]
impl KeyDirectory for FakeLive {
    async fn publish(&self, key: PublicKey) -> Result<(), Failure> {
        self.reach()?.keys.insert(key);
        Ok(())
    }

    async fn keys(&self, _now: Timestamp) -> Result<Vec<PublicKey>, Failure> {
        Ok(self.reach()?.keys.iter().cloned().collect())
    }
}

#[async_trait]
impl Probe for FakeLive {
    fn name(&self) -> &'static str {
        "dynamodb"
    }

    async fn check(&self) -> Result<(), Failure> {
        self.reach().map(drop)
    }
}
