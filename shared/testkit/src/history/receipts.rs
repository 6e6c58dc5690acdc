//! `ReceiptStore`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::{ConversationId, Marks, MessageKind, Seq, Timestamp, UserId, limits};
use service::port::{Failure, RaisedMarks, ReceiptClaim, ReceiptStore};
use service::{MemberMarks, Recipient};

use super::traces::{Note, NoteKind};
use super::{FakeHistory, Room, Seat, State};

#[async_trait]
impl ReceiptStore for FakeHistory {
    async fn raise(&self, claims: &[ReceiptClaim]) -> Result<Vec<RaisedMarks>, Failure> {
        let now = self.clock.now();
        let mut state = self.reach()?;
        let mut newest: BTreeMap<_, (Option<Seq>, Option<Seq>)> = BTreeMap::new();
        for claim in claims {
            let known = newest.entry((claim.conversation_id, claim.user_id)).or_default();
            *known = (known.0.max(claim.delivered), known.1.max(claim.read));
        }
        let raise = |((id, user), claimed)| state.raise(id, user, claimed, now);
        Ok(newest.into_iter().filter_map(raise).collect())
    }

    async fn standing(&self, claims: &[ReceiptClaim]) -> Result<Vec<RaisedMarks>, Failure> {
        let state = self.reach()?;
        let members: BTreeSet<_> = claims.iter().map(|c| (c.conversation_id, c.user_id)).collect();
        Ok(members.into_iter().filter_map(|(id, user)| state.standing(id, user)).collect())
    }

    async fn marks(
        &self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<Option<Vec<MemberMarks>>, Failure> {
        let state = self.reach()?;
        let Some((room, _)) = state.room_of(user, conversation_id) else { return Ok(None) };
        let shown = |(other, seat): (UserId, &Seat)| MemberMarks {
            user_id: other,
            marks: seat.shown(seat.marks, other == user || state.shares_receipts(other)),
        };
        Ok(Some(room.active().map(shown).collect()))
    }
}

impl Seat {
    /// These marks of theirs as others may see them.
    fn shown(&self, marks: Marks, shares_receipts: bool) -> Marks {
        if shares_receipts { marks } else { Marks { read: self.joined_seq, ..marks } }
    }
}

impl State {
    fn shares_receipts(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(|account| account.user.settings.share_receipts)
    }

    fn standing(&self, conversation_id: ConversationId, user_id: UserId) -> Option<RaisedMarks> {
        let (room, seat) = self.room_of(user_id, conversation_id)?;
        let nothing = Marks { delivered: Seq::ZERO, read: Seq::ZERO };
        let marks = seat.shown(seat.marks, self.shares_receipts(user_id));
        Some(RaisedMarks {
            conversation_id,
            user_id,
            before: seat.marks,
            after: seat.marks,
            shown: MemberMarks { user_id, marks },
            authors: room.authors_between(nothing, marks, user_id),
        })
    }

    fn raise(
        &mut self,
        conversation_id: ConversationId,
        user_id: UserId,
        (delivered, read): (Option<Seq>, Option<Seq>),
        now: Timestamp,
    ) -> Option<RaisedMarks> {
        let shares = self.shares_receipts(user_id);
        let room = self.rooms.get_mut(&conversation_id)?;
        let last_seq = room.conversation.last_seq;
        let seat = room.seats.get_mut(&user_id).filter(|seat| seat.is_active)?;
        let before = seat.marks;
        let after = before.raised(delivered, read, last_seq);
        if after == before {
            return None;
        }
        seat.marks = after;
        seat.changed_at = now;
        let (was_shown, shown) = (seat.shown(before, shares), seat.shown(after, shares));
        let authors = room.authors_between(was_shown, shown, user_id);
        let note = |kind, after, through| Note { conversation_id, kind, after, through, at: now };
        if after.delivered > before.delivered {
            let kind = NoteKind::Delivered(user_id);
            self.notes.push(note(kind, before.delivered, after.delivered));
        }
        if shown.read > was_shown.read {
            self.notes.push(note(NoteKind::Read(user_id), before.read, after.read));
        }
        let shown = MemberMarks { user_id, marks: shown };
        Some(RaisedMarks { conversation_id, user_id, before, after, shown, authors })
    }
}

impl Room {
    /// The newest first, as far as they are to be told.
    fn authors_between(&self, before: Marks, after: Marks, reader: UserId) -> Vec<Recipient> {
        let written = |after: Seq, through: Seq| {
            let newest = self.messages.iter().rev().filter(|m| m.kind != MessageKind::System);
            let covered = newest.filter(move |m| m.seq > after && m.seq <= through);
            covered.take(limits::RECEIPT_MESSAGES)
        };
        let delivered = written(before.delivered, after.delivered);
        let mut covered: Vec<_> = delivered.chain(written(before.read, after.read)).collect();
        covered.sort_by_key(|message| Reverse(message.seq));
        let mut told = BTreeSet::new();
        let authors = covered.into_iter().filter_map(|message| {
            let user_id = message.sender_id;
            let seat = self.seat_of(user_id).filter(|_| user_id != reader)?;
            told.insert(user_id).then_some(Recipient { user_id, joined_seq: seat.joined_seq })
        });
        authors.take(limits::RECEIPT_AUTHORS).collect()
    }
}
