//! `Acquaintances`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{ConversationId, UserId};
use service::port::{Acquaintance, Acquaintances, Failure};

use super::{FakeHistory, State};

#[async_trait]
impl Acquaintances for FakeHistory {
    async fn among(&self, user: UserId, people: &[UserId]) -> Result<Vec<Acquaintance>, Failure> {
        let state = self.reach()?;
        let people: BTreeSet<_> = people.iter().copied().collect();
        let known = people.into_iter().filter(|other| state.know_each_other(user, *other));
        let acquaintance = |user_id: UserId| {
            let settings = state.users.get(&user_id)?.user.settings;
            Some(Acquaintance { user_id, shares_last_seen: settings.share_last_seen })
        };
        Ok(known.filter_map(acquaintance).collect())
    }

    async fn peers(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        limit: usize,
    ) -> Result<Option<Vec<UserId>>, Failure> {
        let state = self.reach()?;
        let Some((room, _)) = state.room_of(user, conversation_id) else { return Ok(None) };
        let is_peer = |other| other != user && !state.is_block_between(user, other);
        let mut peers: Vec<_> = room.active().filter(|(other, _)| is_peer(*other)).collect();
        peers.sort_by_key(|(other, seat)| (Reverse(seat.marks.read), *other));
        Ok(Some(peers.into_iter().map(|(other, _)| other).take(limit).collect()))
    }
}

impl State {
    fn know_each_other(&self, one: UserId, other: UserId) -> bool {
        let mut rooms = self.rooms.values();
        let is_shared = rooms.any(|room| room.seat_of(one).and(room.seat_of(other)).is_some());
        one == other || (is_shared && !self.is_block_between(one, other))
    }
}
