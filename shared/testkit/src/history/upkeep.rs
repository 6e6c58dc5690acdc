//! `Upkeep`.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::{ConversationId, Seq, Timestamp, limits};
use service::port::{Failure, MembershipCopy, Straggler, Upkeep};

use super::{FakeHistory, Nudged, Room, Seat};

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
        state.sweeps += 1;
        let sweep = state.sweeps;
        let rooms = state.rooms.values();
        let mut behind: Vec<_> = rooms.flat_map(|room| room.behind(window)).collect();
        behind.sort_by_key(|(nudged, one)| {
            (nudged.count, nudged.sweep, one.conversation_id, one.user_id)
        });
        behind.truncate(limit);
        for (nudged, one) in &behind {
            let seats = state.rooms.get_mut(&one.conversation_id).map(|room| &mut room.seats);
            if let Some(seat) = seats.and_then(|seats| seats.get_mut(&one.user_id)) {
                seat.nudged = Nudged { count: nudged.count + 1, sweep, ..*nudged };
            }
        }
        Ok(behind.into_iter().map(|(_, straggler)| straggler).collect())
    }

    async fn unconfirmed_copies(&self, limit: usize) -> Result<Vec<MembershipCopy>, Failure> {
        let latest = self.clock.now().minus(limits::COPY_REPAIR_AFTER);
        let state = self.reach()?;
        let mut due: Vec<_> = state.unconfirmed.values().filter(|(_, at)| *at <= latest).collect();
        due.sort_by_key(|(_, at)| *at);
        Ok(due.into_iter().map(|(copy, _)| *copy).take(limit).collect())
    }

    async fn owed_copies(&self, id: ConversationId) -> Result<Vec<MembershipCopy>, Failure> {
        let state = self.reach()?;
        let owed = state.unconfirmed.values().map(|(copy, _)| *copy);
        Ok(owed.filter(|copy| copy.conversation_id == id && copy.is_active).collect())
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

    async fn forget_ended(&self, before: Timestamp, limit: usize) -> Result<u64, Failure> {
        let mut guard = self.reach()?;
        let state = &mut *guard;
        let sessions = forget_some(&mut state.sessions, limit, |session| {
            session.revoked_at.unwrap_or(session.last_used_at) < before
        });
        let sessions_left = &state.sessions;
        state.tokens.retain(|_, token| sessions_left.contains_key(&token.session_id));
        let tokens = forget_some(&mut state.mail_tokens, limit, |token| token.expires_at < before);
        let invites = forget_some(&mut state.invites, limit, |invite| invite.ended_at() < before);
        let requests = forget_some(&mut state.requests, limit, |one| one.created_at < before);
        Ok(u64::try_from(sessions + tokens + invites + requests).unwrap_or(u64::MAX))
    }
}

fn forget_some<K: Ord, V>(
    kept: &mut BTreeMap<K, V>,
    limit: usize,
    is_over: impl Fn(&V) -> bool,
) -> usize {
    let mut forgotten = 0;
    kept.retain(|_, one| {
        let goes = forgotten < limit && is_over(one);
        forgotten += usize::from(goes);
        !goes
    });
    forgotten
}

impl Seat {
    /// What was delivered since they were nudged makes the count begin anew.
    fn nudged_in_vain(&self) -> Nudged {
        let delivered = self.marks.delivered;
        let count = if self.nudged.delivered == delivered { self.nudged.count } else { 0 };
        Nudged { delivered, count, ..self.nudged }
    }
}

impl Room {
    /// Everybody to whom something of this time was not delivered, and who may be nudged for it.
    fn behind(&self, (oldest, newest): (Timestamp, Timestamp)) -> Vec<(Nudged, Straggler)> {
        let is_of_the_time = |seq: &Seq| {
            let touched_at = self.stamps.get(seq).map(|stamp| stamp.touched_at);
            touched_at.is_some_and(|at| at >= oldest && at <= newest)
        };
        let of_the_time = self.messages.iter().filter(|message| is_of_the_time(&message.seq));
        let Some(latest) = of_the_time.map(|message| message.rev).max() else { return Vec::new() };
        let (conversation_id, last_seq) = (self.conversation.id, self.conversation.last_seq);
        let behind = self.active().filter(|(_, seat)| seat.marks.delivered < latest);
        let straggler = |(user_id, seat): (_, &Seat)| {
            (seat.nudged_in_vain(), Straggler { conversation_id, user_id, last_seq })
        };
        let stragglers = behind.map(straggler);
        stragglers.filter(|(nudged, _)| nudged.count < limits::NUDGES_IN_VAIN).collect()
    }
}
