//! `Upkeep`.

use std::time::Duration;

use async_trait::async_trait;
use domain::{Seq, Timestamp, limits};
use service::port::{Failure, MembershipCopy, Straggler, Upkeep};

use super::{FakeHistory, Room};

#[async_trait]
impl Upkeep for FakeHistory {
    async fn stragglers(
        &self,
        nudge_after: Duration,
        limit: usize,
    ) -> Result<Vec<Straggler>, Failure> {
        let now = self.clock.now();
        let window = (now.minus(limits::NUDGE_UNTIL), now.minus(nudge_after));
        let mut state = self.reach()?;
        let mut stragglers = Vec::new();
        for room in state.rooms.values_mut() {
            room.nudge(window, limit, &mut stragglers);
        }
        Ok(stragglers)
    }

    async fn unconfirmed_copies(&self, limit: usize) -> Result<Vec<MembershipCopy>, Failure> {
        let latest = self.clock.now().minus(limits::COPY_REPAIR_AFTER);
        let state = self.reach()?;
        let mut due: Vec<_> = state.unconfirmed.values().filter(|(_, at)| *at <= latest).collect();
        due.sort_by_key(|(_, at)| *at);
        Ok(due.into_iter().map(|(copy, _)| *copy).take(limit).collect())
    }

    async fn confirm_copies(&self, copies: &[MembershipCopy]) -> Result<(), Failure> {
        let mut state = self.reach()?;
        for written in copies {
            let key = (written.conversation_id, written.user_id);
            let waiting = state.unconfirmed.get(&key);
            if waiting.is_some_and(|(copy, _)| copy.version <= written.version) {
                state.unconfirmed.remove(&key);
            }
        }
        Ok(())
    }

    async fn forget_traces(&self, limit: usize) -> Result<u64, Failure> {
        let oldest = self.clock.now().minus(limits::TRACE_LIFETIME);
        let mut state = self.reach()?;
        let mut forgotten = 0;
        state.notes.retain(|note| {
            let is_kept = note.at >= oldest || forgotten == limit;
            forgotten += usize::from(!is_kept);
            is_kept
        });
        Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
    }
}

impl Room {
    /// Counts a nudge for everybody to whom something of this time was not delivered.
    fn nudge(
        &mut self,
        (oldest, newest): (Timestamp, Timestamp),
        limit: usize,
        stragglers: &mut Vec<Straggler>,
    ) {
        let last_seq = self.conversation.last_seq;
        let Self { messages, stamps, seats, conversation, .. } = self;
        let is_of_the_time = |seq: &Seq| {
            let touched_at = stamps.get(seq).map(|stamp| stamp.touched_at);
            touched_at.is_some_and(|at| at >= oldest && at <= newest)
        };
        let of_the_time = messages.iter().filter(|message| is_of_the_time(&message.seq));
        let Some(latest) = of_the_time.map(|message| message.rev).max() else { return };
        for (user_id, seat) in seats.iter_mut().filter(|(_, seat)| seat.is_active) {
            if seat.nudged.0 != last_seq {
                seat.nudged = (last_seq, 0);
            }
            let is_behind = seat.marks.delivered < latest;
            if is_behind && seat.nudged.1 < limits::NUDGES_PER_CHANGE && stragglers.len() < limit {
                seat.nudged.1 += 1;
                let (conversation_id, user_id) = (conversation.id, *user_id);
                stragglers.push(Straggler { conversation_id, user_id, last_seq });
            }
        }
    }
}
