//! What comes into a conversation: pushes in any order, and what is fetched.

use protocol::body::ChangeList;
use protocol::frame::Messages;
use protocol::value::Message;

use super::action::Event;
use super::chance::Chance;
use super::room::{Around, Room};
use super::transcript::Put;
use super::wish::Wish;

/// Pushes that wait for an earlier one; more are fetched instead.
const HELD_MOST: usize = 200;
const RETRY_FIRST_MS: u64 = 1_000;
const RETRY_MOST_MS: u64 = 30_000;

impl Room {
    pub(crate) fn pushed(&mut self, messages: Messages, is_buffering: bool, around: &mut Around) {
        if self.held.len() < HELD_MOST {
            self.held.push(messages);
        } else {
            self.fetch.want(around.now);
        }
        if !is_buffering {
            self.settle(around);
        }
    }

    /// `after ≤ cursor < through` is news, `through ≤ cursor` was known, the rest waits.
    pub(crate) fn settle(&mut self, around: &mut Around<'_>) {
        self.held.sort_by_key(|frame| (frame.after, frame.through));
        let mut waiting = Vec::new();
        for frame in std::mem::take(&mut self.held) {
            if frame.after > self.cursor {
                waiting.push(frame);
                continue;
            }
            // A repeat may be the confirmation that was asked for again.
            frame.messages.into_iter().for_each(|message| self.apply(message, around));
            self.cursor = self.cursor.max(frame.through);
        }
        self.held = waiting;
        let now = around.now;
        if self.cursor > self.marks.delivered() {
            self.marks.reached(self.cursor, std::mem::take(&mut self.has_news), now);
        }
        self.gap_since = (!self.held.is_empty()).then(|| self.gap_since.unwrap_or(now));
    }

    /// A message of one's own that is told of is stored, whatever else is told.
    fn confirm(&mut self, message: &Message, around: &mut Around<'_>) {
        let (conversation, client_id, seq) = (self.id, message.client_id, message.seq);
        if message.sender_id == around.me && self.outbox.seen(client_id) {
            around.told.tell(Event::Stored { conversation, client_id, seq });
        }
    }

    fn apply(&mut self, message: Message, around: &mut Around<'_>) {
        let (seq, rev, conversation) = (message.seq, message.rev, self.id);
        self.confirm(&message, around);
        if rev <= self.cursor {
            return;
        }
        let (is_own, sender) = (message.sender_id == around.me, message.sender_id);
        let is_system = message.kind == "system";
        let put = self.transcript.put(message, around.messages_kept);
        if put == Put::Shown && seq > self.cursor {
            self.there_again(around.now);
        }
        match put {
            Put::Shown => around.told.tell(Event::Shown { conversation, seq }),
            Put::Changed => around.told.tell(Event::Changed { conversation, seq, rev }),
            Put::Known => return,
        }
        if is_system {
            self.marks.members_changed();
            self.description.doubt_before(seq, around.now, around.chance);
        }
        if is_own {
            self.own_seq = if is_system { self.own_seq } else { self.own_seq.max(seq) };
            self.own_beats = 0;
        } else {
            self.has_news |= put == Put::Shown && !is_system;
            self.typing.stopped(sender);
        }
        if self.own_seq > 0 && !self.marks.is_complete() {
            self.receipts.want_unless_wanted(around.now);
        }
    }

    pub(crate) fn fetched(&mut self, changes: ChangeList, around: &mut Around<'_>) {
        self.fetch.done();
        if self.is_removed && !self.can_be_hidden() {
            self.is_removed = false;
            around.told.tell(Event::Conversation { conversation: self.id });
        }
        let is_stuck = changes.has_more && changes.through <= self.cursor;
        changes.items.into_iter().for_each(|message| self.apply(message, around));
        self.cursor = self.cursor.max(changes.through);
        if changes.has_more {
            let wait = if is_stuck { RETRY_FIRST_MS } else { 0 };
            self.fetch.want(around.now + wait);
        } else {
            self.outbox.look_ended();
        }
        self.gap_since = None;
        self.settle(around);
    }

    pub(crate) fn fetch_failed(&mut self, now: u64, chance: &mut Chance) {
        self.fetch.failed(now, RETRY_FIRST_MS, RETRY_MOST_MS, chance);
    }

    /// The server knew no such conversation for this person when it was asked. What was told
    /// since then may be of their being back.
    pub(crate) fn gone(&mut self, around: &mut Around<'_>) {
        self.fetch.done();
        if !self.held.is_empty() {
            self.fetch.want(around.now);
        }
        self.receipts = Wish::default();
        for frame in std::mem::take(&mut self.held) {
            frame.messages.iter().for_each(|message| self.confirm(message, around));
        }
        self.gap_since = None;
        // There is nothing to look through: what is unseen is said again, and refused.
        self.outbox.look_began();
        self.outbox.look_ended();
        self.removed(around.told);
    }
}
