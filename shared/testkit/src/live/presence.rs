//! `PresenceStore`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{ConnectionId, Presence, SessionId, Status, Timestamp, UserId, limits};
use service::Connection;
use service::port::{Acquaintance, Failure, PresenceStore, Sighting, Watcher};

use super::FakeLive;
use super::table::{State, is_leased, is_recorded};

/// What the live table knows of presence.
#[derive(Default)]
pub(super) struct PresenceBook {
    /// Of connections that said one.
    statuses: BTreeMap<ConnectionId, Status>,
    /// What the next socket of a session begins with.
    session_statuses: BTreeMap<SessionId, Status>,
    last_seen: BTreeMap<UserId, Timestamp>,
    announced: BTreeMap<UserId, Presence>,
    /// `W#…`: (who is watched, by which connection).
    watches: BTreeMap<(UserId, ConnectionId), (Watcher, Timestamp)>,
}

impl PresenceBook {
    fn status_of(&self, id: &ConnectionId) -> Status {
        self.statuses.get(id).copied().unwrap_or_default()
    }

    /// A socket opens.
    pub(super) fn begin(&mut self, connection: &Connection) {
        if let Some(status) = self.session_statuses.get(&connection.identity.session_id) {
            self.statuses.insert(connection.id.clone(), *status);
        }
    }

    /// What is known of this person, and whom they watch.
    pub(super) fn erase(&mut self, user: UserId) {
        self.last_seen.remove(&user);
        self.announced.remove(&user);
        self.watches.retain(|(watched, _), (watcher, _)| {
            ![*watched, watcher.connection.identity.user_id].contains(&user)
        });
    }

    pub(super) fn watches_of(&self, user: UserId) -> usize {
        let is_theirs = |((watched, _), (watcher, _)): &(&(UserId, _), &(Watcher, _))| {
            [*watched, watcher.connection.identity.user_id].contains(&user)
        };
        self.watches.iter().filter(is_theirs).count()
    }

    pub(super) fn knows(&self, user: UserId) -> bool {
        self.last_seen.contains_key(&user) || self.announced.contains_key(&user)
    }

    pub(super) fn end_session(&mut self, session: SessionId) {
        self.session_statuses.remove(&session);
    }

    pub(super) fn forget(&mut self, id: &ConnectionId) {
        self.statuses.remove(id);
    }
}

impl State {
    /// A sign of life of this connection. Who hides on one device is not given away by another.
    pub(super) fn note(&mut self, connection: &Connection, at: Timestamp) {
        let user = connection.identity.user_id;
        let book = &mut self.presence;
        let hides = |c: &Connection| book.status_of(&c.id) == Status::Invisible;
        let theirs = self.live.values().filter(|c| c.identity.user_id == user);
        let mut leased = theirs.filter(|c| is_leased(c, at));
        if !hides(connection) && !leased.any(hides) {
            let last_seen = book.last_seen.entry(user).or_insert(at);
            *last_seen = at.max(*last_seen);
        }
    }

    fn sighting(&self, user_id: UserId, now: Timestamp) -> Sighting {
        let theirs = self.live.values().filter(|c| c.identity.user_id == user_id);
        let leased = theirs.filter(|connection| is_leased(connection, now));
        Sighting {
            user_id,
            statuses: leased.map(|connection| self.presence.status_of(&connection.id)).collect(),
            last_seen_at: self.presence.last_seen.get(&user_id).copied(),
            announced: self.presence.announced.get(&user_id).copied().unwrap_or_default(),
        }
    }
}

#[async_trait]
impl PresenceStore for FakeLive {
    async fn set(
        &self,
        id: &ConnectionId,
        status: Status,
        now: Timestamp,
    ) -> Result<Option<Sighting>, Failure> {
        let mut state = self.reach()?;
        let recorded = state.records.get(id).filter(|record| is_recorded(record, now));
        let Some(identity) = recorded.map(|record| record.identity) else { return Ok(None) };
        if state.ended_sessions.contains(&identity.session_id) {
            return Ok(None);
        }
        state.presence.statuses.insert(id.clone(), status);
        state.presence.session_statuses.insert(identity.session_id, status);
        Ok(Some(state.sighting(identity.user_id, now)))
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Sighting>, Failure> {
        let state = self.reach()?;
        let users: BTreeSet<_> = users.iter().copied().collect();
        Ok(users.into_iter().map(|user| state.sighting(user, now)).collect())
    }

    async fn announce(&self, user: UserId, presence: Presence) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let before = state.presence.announced.insert(user, presence).unwrap_or_default();
        Ok(before != presence)
    }

    async fn watch(
        &self,
        connection: &Connection,
        people: &[Acquaintance],
        until: Timestamp,
    ) -> Result<(), Failure> {
        let mut state = self.reach()?;
        for person in people {
            let key = (person.user_id, connection.id.clone());
            let sees_last_seen = person.shares_last_seen;
            let watcher = Watcher { connection: connection.clone(), sees_last_seen };
            state.presence.watches.insert(key, (watcher, until));
        }
        Ok(())
    }

    async fn watchers(&self, user: UserId, now: Timestamp) -> Result<Vec<Watcher>, Failure> {
        let state = self.reach()?;
        let of_user = state.presence.watches.iter().filter(|((watched, _), _)| *watched == user);
        let lasting = of_user.filter(|(_, (_, until))| now < *until);
        let watchers = lasting.map(|(_, (watcher, _))| watcher.clone());
        Ok(watchers.take(limits::WATCHERS_PER_USER).collect())
    }

    async fn end_watches(
        &self,
        watcher: UserId,
        watched: UserId,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        let mut state = self.reach()?;
        let State { live, presence, .. } = &mut *state;
        let mut ended = Vec::new();
        presence.watches.retain(|(of, by), (watch, until)| {
            let is_between = *of == watched && live.contains_key(&(watcher, by.clone()));
            if is_between && now < *until {
                ended.push(watch.connection.clone());
            }
            !is_between
        });
        Ok(ended)
    }
}
