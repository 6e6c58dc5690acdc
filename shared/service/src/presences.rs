//! Presence: pulled for what is on a screen, pushed only to those who watch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{ConnectionId, Invalid, Presence, Status, UserId, limits};

use crate::port::{
    Acquaintance, Acquaintances, Clock, ConnectionStore, Failure, PresenceQueue, PresenceStore,
    Sighting,
};
use crate::{Caller, Connection, Delivery, Error, Event, Hangup, PresenceView};

/// Who is there, for people who know each other.
#[derive(Clone)]
pub struct Presences {
    pub acquaintances: Arc<dyn Acquaintances>,
    pub presences: Arc<dyn PresenceStore>,
    pub clock: Arc<dyn Clock>,
}

impl Presences {
    /// One for each person asked for, in that order. Strangers, blocked and invisible people look
    /// the same: offline.
    pub async fn of_people(
        &self,
        caller: Caller,
        people: &[UserId],
    ) -> Result<Vec<PresenceView>, Error> {
        check_count(people)?;
        let known = self.acquaintances.among(caller.user_id(), people).await?;
        let sightings = self.sightings(&known).await?;
        Ok(views(people, &known, &sightings))
    }

    async fn sightings(&self, known: &[Acquaintance]) -> Result<Vec<Sighting>, Failure> {
        let ids: Vec<UserId> = known.iter().map(|person| person.user_id).collect();
        self.presences.of_users(&ids, self.clock.now()).await
    }
}

/// One for each person asked for; who is not known looks like nobody.
fn views(people: &[UserId], known: &[Acquaintance], sightings: &[Sighting]) -> Vec<PresenceView> {
    let shares: BTreeMap<_, _> = known.iter().map(|a| (a.user_id, a.shares_last_seen)).collect();
    let sightings: BTreeMap<_, _> = sightings.iter().map(|s| (s.user_id, s)).collect();
    let mut asked = BTreeSet::new();
    let asked = people.iter().filter(|id| asked.insert(**id));
    let seen = asked.map(|id| match sightings.get(id).zip(shares.get(id)) {
        Some((sighting, shares)) => view(sighting, *shares),
        None => PresenceView { user_id: *id, presence: Presence::Offline, last_seen_at: None },
    });
    seen.collect()
}

fn check_count(people: &[UserId]) -> Result<(), Error> {
    if people.is_empty() || people.len() > limits::PRESENCES_PER_REQUEST {
        let invalid = Invalid::new("invalid_user_count", "must be 1 to 50 people");
        return Err(Error::invalid("user_ids", invalid));
    }
    Ok(())
}

fn view(sighting: &Sighting, shares_last_seen: bool) -> PresenceView {
    PresenceView {
        user_id: sighting.user_id,
        presence: sighting.presence(),
        last_seen_at: sighting.last_seen_at.filter(|_| shares_last_seen),
    }
}

/// `presence.watch` and its answer.
#[derive(Clone)]
pub struct PresenceWatches {
    pub presences: Presences,
    pub connections: Arc<dyn ConnectionStore>,
    pub queue: Arc<dyn PresenceQueue>,
    pub hangup: Hangup,
}

impl PresenceWatches {
    /// A snapshot of these people, whose changes are pushed to this socket from now on for 90 s.
    /// Who vanished without a word is noticed here, and their other watchers are told.
    pub async fn watch(
        &self,
        id: &ConnectionId,
        people: &[UserId],
    ) -> Result<Vec<PresenceView>, Error> {
        check_count(people)?;
        let Some(connection) = self.connections.get(id).await? else {
            return Err(self.hangup.turn_away(id).await);
        };
        let Presences { acquaintances, presences, clock } = &self.presences;
        let known = acquaintances.among(connection.identity.user_id, people).await?;
        // Watching before looking: what changes in between is pushed.
        let until = clock.now().plus(limits::WATCH_LIFETIME);
        presences.watch(&connection, &known, until).await?;
        let sightings = self.presences.sightings(&known).await?;
        for sighting in sightings.iter().filter(|sighting| sighting.is_news()) {
            self.queue.enqueue(sighting.user_id, grace(sighting.presence())).await?;
        }
        Ok(views(people, &known, &sightings))
    }
}

/// `presence.set`
#[derive(Clone)]
pub struct PresenceStatus {
    pub presences: Arc<dyn PresenceStore>,
    pub queue: Arc<dyn PresenceQueue>,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

impl PresenceStatus {
    /// Of the device behind this connection.
    pub async fn set(&self, id: &ConnectionId, status: Status) -> Result<(), Error> {
        let Some(sighting) = self.presences.set(id, status, self.clock.now()).await? else {
            return Err(self.hangup.turn_away(id).await);
        };
        if sighting.is_news() {
            self.queue.enqueue(sighting.user_id, std::time::Duration::ZERO).await?;
        }
        Ok(())
    }
}

/// How long an announcement waits: a person who vanished may only be changing sockets.
pub(crate) fn grace(presence: Presence) -> std::time::Duration {
    match presence {
        Presence::Offline => limits::OFFLINE_GRACE,
        _ => std::time::Duration::ZERO,
    }
}

/// The worker behind `presence-to-announce`.
#[derive(Clone)]
pub struct PresenceAnnouncements {
    pub presences: Arc<dyn PresenceStore>,
    pub delivery: Delivery,
    pub clock: Arc<dyn Clock>,
}

impl PresenceAnnouncements {
    /// Looks again, and tells the watchers only what is new to them. An error sends the job round
    /// again.
    pub async fn announce(&self, user: UserId) -> Result<(), Failure> {
        let sightings = self.presences.of_users(&[user], self.clock.now()).await?;
        let Some(sighting) = sightings.first().filter(|sighting| sighting.is_news()) else {
            return Ok(());
        };
        let watchers = self.presences.watchers(user, self.clock.now()).await?;
        if !self.presences.announce(user, sighting.presence()).await? {
            return Ok(());
        }
        for shares in [true, false] {
            let some = watchers.iter().filter(|watcher| watcher.sees_last_seen == shares);
            let some: Vec<Connection> = some.map(|watcher| watcher.connection.clone()).collect();
            let event = Event::PresenceChanged { users: vec![view(sighting, shares)] };
            self.delivery.tell(event, some).await?;
        }
        Ok(())
    }
}
