//! The DynamoDB ports and API Gateway's `@connections`.

use std::time::Duration;

use async_trait::async_trait;
use domain::{ConnectionId, ConversationId, Presence, Status, Timestamp, TokenBucket, UserId};
use service::port::{
    Acquaintance, ConnectionStore, Failure, MembershipCopies, MembershipCopy, PresenceStore,
    PushOutcome, Pusher, RateLimiter, SendGate, Sighting, Standing, TicketStore, Watcher,
};
use service::{Connection, Event, Identity};

use super::Ports;
use crate::mutants;
use crate::plan::Mutation;

/// Reads of more users than this are eventually consistent.
const CONSISTENT_USERS: usize = 10;
/// How old such a read may be.
const STALENESS: Duration = Duration::from_secs(1);

#[async_trait]
impl TicketStore for Ports {
    async fn issue(
        &self,
        digest: &str,
        identity: Identity,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        self.step("issue", self.world.live.issue(digest, identity, expires_at)).await
    }

    async fn redeem(&self, digest: &str, now: Timestamp) -> Result<Option<Identity>, Failure> {
        self.step("redeem", self.world.live.redeem(digest, now)).await
    }
}

#[async_trait]
impl ConnectionStore for Ports {
    async fn open(&self, connection: &Connection) -> Result<bool, Failure> {
        self.step("open", self.world.live.open(connection)).await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        self.step("get connection", self.world.live.get(id)).await
    }

    async fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        self.step("touch", self.world.live.touch(id, now)).await
    }

    async fn close(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        self.step("close", self.world.live.close(id, now)).await
    }

    async fn prune(&self, connection: &Connection) -> Result<(), Failure> {
        self.world.say(|| format!("prune {}", connection.id));
        self.step("prune", self.world.live.prune(connection)).await
    }

    async fn end_session(
        &self,
        identity: Identity,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        self.step("end session", self.world.live.end_session(identity, now)).await
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Connection>, Failure> {
        let found = ConnectionStore::of_users(&*self.world.live, users, now);
        let mut found = self.step("of users", found).await?;
        let rate = self.world.rates().stale_read;
        if users.len() > CONSISTENT_USERS && self.world.chance.roll(rate) {
            self.world.count("stale read", "of users");
            found.retain(|connection| now.since(connection.since) > STALENESS);
            found.extend(self.world.gateway.closed_within(now, STALENESS, users));
        }
        Ok(found)
    }
}

#[async_trait]
impl SendGate for Ports {
    async fn of_connection(
        &self,
        connection_id: &ConnectionId,
        conversation_id: ConversationId,
    ) -> Result<Standing, Failure> {
        let standing = self.world.live.of_connection(connection_id, conversation_id);
        self.step("gate", standing).await
    }

    async fn is_member(
        &self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<bool, Failure> {
        self.step("is member", self.world.live.is_member(user, conversation_id)).await
    }
}

#[async_trait]
impl MembershipCopies for Ports {
    async fn write(&self, copies: &[MembershipCopy]) -> Result<(), Failure> {
        self.step("write copies", async {
            let known = self.world.live.membership_copies();
            let is_late = |copy: &MembershipCopy| {
                let same = |k: &&MembershipCopy| {
                    (k.conversation_id, k.user_id) == (copy.conversation_id, copy.user_id)
                };
                known.iter().find(same).is_some_and(|known| known.version > copy.version)
            };
            if copies.iter().any(is_late) {
                self.world.count("older copy written later", "copies");
            }
            if self.world.is_mutated(Mutation::LateCopyWins) {
                return self.world.live.write(&mutants::latest(&self.world, copies)).await;
            }
            self.world.live.write(copies).await
        })
        .await
    }
}

#[async_trait]
impl RateLimiter for Ports {
    async fn take(
        &self,
        scope: &str,
        bucket: TokenBucket,
        count: u32,
        now: Timestamp,
    ) -> Result<Result<Timestamp, u64>, Failure> {
        self.step("take", self.world.live.take(scope, bucket, count, now)).await
    }
}

#[async_trait]
impl PresenceStore for Ports {
    async fn set(
        &self,
        id: &ConnectionId,
        status: Status,
        now: Timestamp,
    ) -> Result<Option<Sighting>, Failure> {
        self.step("set presence", self.world.live.set(id, status, now)).await
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Sighting>, Failure> {
        self.step("sightings", PresenceStore::of_users(&*self.world.live, users, now)).await
    }

    async fn announce(&self, user: UserId, presence: Presence) -> Result<bool, Failure> {
        self.step("announce", self.world.live.announce(user, presence)).await
    }

    async fn watch(
        &self,
        connection: &Connection,
        people: &[Acquaintance],
        until: Timestamp,
    ) -> Result<(), Failure> {
        self.step("watch", self.world.live.watch(connection, people, until)).await
    }

    async fn watchers(&self, user: UserId, now: Timestamp) -> Result<Vec<Watcher>, Failure> {
        self.step("watchers", self.world.live.watchers(user, now)).await
    }

    async fn end_watches(
        &self,
        watcher: UserId,
        watched: UserId,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        self.step("end watches", self.world.live.end_watches(watcher, watched, now)).await
    }
}

#[async_trait]
impl Pusher for Ports {
    async fn push(&self, connection_id: &ConnectionId, event: &Event) -> PushOutcome {
        let world = &self.world;
        if self.invocation.before("push").await.is_err() {
            return PushOutcome::Failed;
        }
        if world.chance.roll(world.rates().push_refused) {
            world.count("push refused", "push");
            return PushOutcome::Failed;
        }
        let to = mutants::addressee(world, connection_id);
        let outcome = world.gateway.push(world, &to, event);
        if outcome == PushOutcome::Gone && world.is_mutated(Mutation::PruneYoung) {
            mutants::prune_young(world, connection_id).await;
        }
        if self.invocation.after("push").await.is_err() {
            return PushOutcome::Failed;
        }
        outcome
    }

    async fn disconnect(&self, connection_id: &ConnectionId) -> Result<(), Failure> {
        self.step("disconnect", async {
            self.world.gateway.close(&self.world, connection_id, "the service");
            Ok(())
        })
        .await
    }
}
