//! Presence: pulled for what is on a screen, pushed only to those who watch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{ConnectionId, Invalid, Presence, Status, Timestamp, UserId, limits};
use futures::future::{join, join_all};
use tokio::time::timeout;

use crate::pace::take_signal;
use crate::port::{
    Acquaintance, Acquaintances, Clock, ConnectionStore, Failure, FanOutJob, FanOutQueue,
    PresenceQueue, PresenceStore, RateLimiter, Sighting,
};
use crate::{Caller, Connection, Delivery, Error, Event, Hangup, PresenceView};

/// What a request may wait so that others hear of somebody's presence: it is a courtesy, and shows
/// at the next watch in any case.
pub(crate) const COURTESY_BUDGET: Duration = Duration::from_millis(500);
/// What a block may wait until the watches between two people are ended. It is more than a
/// courtesy, but they end by themselves after [`limits::WATCH_LIFETIME`].
const PARTING_BUDGET: Duration = Duration::from_millis(1_500);

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
        None => hidden(*id),
    });
    seen.collect()
}

/// Somebody whom one may not see.
fn hidden(user_id: UserId) -> PresenceView {
    PresenceView { user_id, presence: Presence::Offline, last_seen_at: None }
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
    pub limiter: Arc<dyn RateLimiter>,
    pub hangup: Hangup,
}

impl PresenceWatches {
    /// A snapshot of these people, whose changes are pushed to this socket from now on for 90 s.
    /// Who vanished without a word is noticed here, and their other watchers are told. 429 for who
    /// asks too often.
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
        take_signal(&*self.limiter, connection.identity.user_id, clock.now()).await?;
        let known = acquaintances.among(connection.identity.user_id, people).await?;
        // Watching before looking: what changes in between is pushed.
        let until = clock.now().plus(limits::WATCH_LIFETIME);
        presences.watch(&connection, &known, until).await?;
        let sightings = self.presences.sightings(&known).await?;
        self.have_others_told(&sightings).await;
        Ok(views(people, &known, &sightings))
    }

    /// The snapshot does not depend on it.
    async fn have_others_told(&self, sightings: &[Sighting]) {
        let news = sightings.iter().filter(|sighting| sighting.is_news());
        let told = news.map(|sighting| announce_soon(&*self.queue, sighting));
        if timeout(COURTESY_BUDGET, join_all(told)).await.is_err() {
            tracing::warn!("changes of presence are not told: the queue did not answer in time");
        }
    }
}

/// `presence.set`
#[derive(Clone)]
pub struct PresenceStatus {
    pub presences: Arc<dyn PresenceStore>,
    pub connections: Arc<dyn ConnectionStore>,
    pub queue: Arc<dyn PresenceQueue>,
    pub limiter: Arc<dyn RateLimiter>,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

impl PresenceStatus {
    /// Of the device behind this connection. 429 for who changes it too often; it stays then.
    pub async fn set(&self, id: &ConnectionId, status: Status) -> Result<(), Error> {
        let now = self.clock.now();
        let Some(connection) = self.connections.get(id).await? else {
            return Err(self.hangup.turn_away(id).await);
        };
        take_signal(&*self.limiter, connection.identity.user_id, now).await?;
        let Some(sighting) = self.presences.set(id, status, now).await? else {
            return Err(self.hangup.turn_away(id).await);
        };
        if sighting.is_news() {
            self.queue.enqueue(sighting.user_id, Duration::ZERO).await?;
        }
        Ok(())
    }
}

/// Has the watchers of this person told. What fails here shows at their next watch.
pub(crate) async fn announce_soon(queue: &dyn PresenceQueue, news: &Sighting) {
    let user = news.user_id;
    if let Err(failure) = queue.enqueue(user, grace(news.presence())).await {
        tracing::warn!(error = %failure, user_id = %user, "a change of presence is not told");
    }
}

/// How long an announcement waits: a person who vanished may only be changing sockets.
fn grace(presence: Presence) -> Duration {
    match presence {
        Presence::Offline => limits::OFFLINE_GRACE,
        _ => Duration::ZERO,
    }
}

/// What is left of the grace of somebody without a socket; `None` when it is over. They may have
/// come and gone again since the announcement was queued.
fn grace_left(sighting: &Sighting, now: Timestamp) -> Option<Duration> {
    let seen_at = sighting.last_seen_at.filter(|_| sighting.statuses.is_empty())?;
    let left = limits::OFFLINE_GRACE.saturating_sub(now.since(seen_at));
    (!left.is_zero()).then_some(left)
}

/// The worker behind `presence-to-announce`.
#[derive(Clone)]
pub struct PresenceAnnouncements {
    pub presences: Arc<dyn PresenceStore>,
    pub queue: Arc<dyn PresenceQueue>,
    pub delivery: Delivery,
    pub clock: Arc<dyn Clock>,
}

impl PresenceAnnouncements {
    /// Looks again, and tells the watchers only what is new to them. Whoever is between two
    /// sockets at this moment is looked at once more when their grace is over. An error sends the
    /// job round again: it is recorded as told only after the telling, so the next round tells it.
    /// Two workers at once may tell the same twice.
    pub async fn announce(&self, user: UserId) -> Result<(), Failure> {
        let Some(news) = self.news_of(user).await? else { return Ok(()) };
        if let Some(left) = grace_left(&news, self.clock.now()) {
            return self.queue.enqueue(user, left).await;
        }
        self.tell_watchers(&news).await?;
        self.presences.announce(user, news.presence()).await?;
        // Whoever came or went in between was no news to those who noticed it.
        match self.news_of(user).await? {
            Some(newer) => self.queue.enqueue(user, grace(newer.presence())).await,
            None => Ok(()),
        }
    }

    async fn news_of(&self, user: UserId) -> Result<Option<Sighting>, Failure> {
        let sightings = self.presences.of_users(&[user], self.clock.now()).await?;
        Ok(sightings.into_iter().next().filter(Sighting::is_news))
    }

    async fn tell_watchers(&self, sighting: &Sighting) -> Result<(), Failure> {
        let watchers = self.presences.watchers(sighting.user_id, self.clock.now()).await?;
        for shares in [true, false] {
            let some = watchers.iter().filter(|watcher| watcher.sees_last_seen == shares);
            let some: Vec<Connection> = some.map(|watcher| watcher.connection.clone()).collect();
            let event = Event::PresenceChanged { users: vec![view(sighting, shares)] };
            self.delivery.tell(event, some).await?;
        }
        Ok(())
    }
}

/// Ends what two people watch of each other, when they may not see each other any more.
#[derive(Clone)]
pub struct PresencePartings {
    pub presences: Arc<dyn PresenceStore>,
    pub fan_out: Arc<dyn FanOutQueue>,
    pub clock: Arc<dyn Clock>,
}

impl PresencePartings {
    /// After the commit of what stands between them: who begins to watch from then on sees
    /// nothing. It never fails: a watch that is not found, or not ended in time, ends by itself
    /// within [`limits::WATCH_LIFETIME`], and who was not told sees it with the next watch.
    pub(crate) async fn part(&self, one: UserId, other: UserId) {
        let both = join(self.hide(one, other), self.hide(other, one));
        let Ok((there, back)) = timeout(PARTING_BUDGET, both).await else {
            tracing::warn!("watches are left to end by themselves: the table or queue is slow");
            return;
        };
        for failure in [there.err(), back.err()].into_iter().flatten() {
            tracing::warn!(error = %failure, "watches are left to end by themselves");
        }
    }

    /// Of a person who looks offline already nothing is said: it would only tell of the block.
    async fn hide(&self, user: UserId, from: UserId) -> Result<(), Failure> {
        let now = self.clock.now();
        let connections = self.presences.end_watches(from, user, now).await?;
        if connections.is_empty() {
            return Ok(());
        }
        // Not before: what is announced in between is told to these watchers no more.
        let sightings = self.presences.of_users(&[user], now).await?;
        if !sightings.iter().any(Sighting::may_seem_there) {
            return Ok(());
        }
        let event = Event::PresenceChanged { users: vec![hidden(user)] };
        let job = FanOutJob::ToConnections { event, trace_ids: vec![], connections };
        self.fan_out.enqueue(vec![job]).await
    }
}
