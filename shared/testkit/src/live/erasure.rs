//! `LiveErasure`.

use async_trait::async_trait;
use domain::{Timestamp, UserId};
use service::port::{Failure, LiveErasure};

use super::FakeLive;
use super::table::State;

#[async_trait]
impl LiveErasure for FakeLive {
    async fn erase(&self, user: UserId, _now: Timestamp) -> Result<(), Failure> {
        let mut state = self.reach()?;
        state.presence.erase(user);
        let state = &mut *state;
        let is_theirs = |identity: &service::Identity| identity.user_id == user;
        let ids: Vec<_> = state.records.values().filter(|one| is_theirs(&one.identity)).collect();
        for connection in ids {
            state.presence.forget(&connection.id);
        }
        state.records.retain(|_, one| !is_theirs(&one.identity));
        state.live.retain(|(owner, _), _| *owner != user);
        state.tickets.retain(|_, (identity, _)| !is_theirs(identity));
        Ok(())
    }

    async fn residue(&self, user: UserId) -> Result<Vec<(&'static str, u64)>, Failure> {
        let state = self.reach()?;
        Ok(state.remnants(user))
    }
}

impl State {
    fn remnants(&self, user: UserId) -> Vec<(&'static str, u64)> {
        let records = self.records.values().filter(|one| one.identity.user_id == user).count();
        let live = self.live.keys().filter(|(owner, _)| *owner == user).count();
        let watches = self.presence.watches_of(user);
        let last_seen = usize::from(self.presence.knows(user));
        let counts =
            [("connections", records.max(live)), ("watches", watches), ("presence", last_seen)];
        let left = counts.into_iter().filter(|(_, count)| *count > 0);
        left.map(|(kind, count)| (kind, u64::try_from(count).unwrap_or(u64::MAX))).collect()
    }
}
