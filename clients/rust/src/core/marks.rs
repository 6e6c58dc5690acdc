//! How far people have got in one conversation: own marks to tell, others' marks for the ticks.

use std::collections::BTreeMap;

use protocol::value::MemberMarks;
use uuid::Uuid;

/// What nobody waits for, one's own messages and changes, is told so much later: then the server
/// does not remind a device of what it has (it looks after 20 s), and most of it goes along with
/// the next receipt.
const LAZY_MS: u64 = 10_000;
/// One receipt frame a conversation in this time.
const RECEIPT_INTERVAL_MS: u64 = 1_000;
/// A receipt has no answer. What was told later than this before a failure is told again, so much
/// after it.
const TOLD_PATIENCE_MS: u64 = 30_000;
const TOLD_RETRY_MS: u64 = 5_000;
/// Members of a group.
const OTHERS_MOST: usize = 1_000;

/// What a sender sees beside their own message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tick {
    /// ✓ It has its number.
    Stored,
    /// ✓✓ On a device of everybody else.
    Delivered,
    /// Everybody else has read it.
    Read,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Pair {
    delivered: i64,
    read: i64,
}

impl Pair {
    /// Marks never go back, and what is read is delivered.
    fn raise(&mut self, delivered: i64, read: i64) {
        self.read = self.read.max(read);
        self.delivered = self.delivered.max(delivered).max(self.read);
    }

    fn is_beyond(self, other: Self) -> bool {
        self.delivered > other.delivered || self.read > other.read
    }
}

/// The marks of one conversation.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Own: what is so on this device, what the server was told, what it is known to have.
    mine: Pair,
    told: Pair,
    known: Pair,
    told_at: Option<u64>,
    /// When `mine` is to be told, if it is not.
    due_at: u64,
    others: BTreeMap<Uuid, Pair>,
    /// `others` are all of them.
    is_complete: bool,
}

impl Marks {
    pub(crate) fn read(&self) -> i64 {
        self.mine.read.max(self.known.read)
    }

    pub(crate) fn delivered(&self) -> i64 {
        self.mine.delivered.max(self.known.delivered)
    }

    /// What was told before the app was started anew may have been lost; the sync shows it.
    pub(crate) fn restore(&mut self, cursor: i64, read: i64, known: (i64, i64)) {
        self.mine.raise(cursor, read);
        self.told = self.mine;
        self.known.raise(known.0, known.1);
    }

    /// What the server is known to have: delivered, read.
    pub(crate) fn known_to_server(&self) -> (i64, i64) {
        (self.known.delivered, self.known.read)
    }

    /// Everything up to here was applied; `is_awaited`: with a message of somebody else.
    pub(crate) fn reached(&mut self, cursor: i64, is_awaited: bool, now: u64) {
        let is_told = !self.mine.is_beyond(self.told);
        self.mine.raise(cursor, 0);
        let at = if is_awaited { now } else { now + LAZY_MS };
        self.due_at = if is_told { at } else { self.due_at.min(at) };
    }

    /// `true`: further than before.
    pub(crate) fn mark_read(&mut self, seq: i64, now: u64) -> bool {
        let is_further = seq > self.read();
        self.mine.raise(0, seq);
        if is_further {
            self.due_at = now;
        }
        is_further
    }

    /// The server says where one's own marks are: another device may be further.
    pub(crate) fn known(&mut self, delivered: i64, read: i64) -> bool {
        let before = self.read();
        self.known.raise(delivered, read);
        self.told.raise(delivered, read);
        self.read() > before
    }

    /// What was told may have been lost: it is told again, unless it is known to have arrived.
    pub(crate) fn doubt(&mut self) {
        self.told = self.known;
        self.due_at = 0;
    }

    /// A frame of the last half minute was lost.
    pub(crate) fn doubt_lately_told(&mut self, now: u64) {
        if self.told_at.is_some_and(|at| now < at + TOLD_PATIENCE_MS) {
            self.doubt();
            self.due_at = now + TOLD_RETRY_MS;
        }
    }

    /// When there is something to tell.
    pub(crate) fn wake(&self) -> Option<u64> {
        let at = self.told_at.map_or(0, |at| at + RECEIPT_INTERVAL_MS).max(self.due_at);
        self.mine.is_beyond(self.told).then_some(at)
    }

    /// The marks to tell now: `delivered`, and `read` if there is news of it.
    pub(crate) fn take(&mut self, now: u64) -> Option<(i64, Option<i64>)> {
        self.wake().filter(|at| now >= *at)?;
        let read = (self.mine.read > self.told.read).then_some(self.mine.read);
        self.told.raise(self.mine.delivered, self.mine.read);
        self.told_at = Some(now);
        Some((self.mine.delivered, read))
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Members came or went.
    pub(crate) fn members_changed(&mut self) {
        self.is_complete = false;
    }

    /// `receipt.updated`. `true`: somebody got further.
    pub(crate) fn updated(&mut self, marks: &[MemberMarks]) -> bool {
        let mut is_further = false;
        for mark in marks {
            if self.others.len() >= OTHERS_MOST && !self.others.contains_key(&mark.user_id) {
                continue;
            }
            let other = self.others.entry(mark.user_id).or_default();
            let before = *other;
            other.raise(mark.delivered, mark.read);
            is_further |= other.is_beyond(before);
        }
        is_further
    }

    /// The marks of all other members.
    pub(crate) fn all(&mut self, marks: &[MemberMarks]) {
        let is_there = |user: &Uuid| marks.iter().any(|mark| mark.user_id == *user);
        self.others.retain(|user, _| is_there(user));
        self.updated(marks);
        self.is_complete = true;
    }

    pub(crate) fn others(&self) -> Vec<MemberMarks> {
        let mark = |(user, pair): (&Uuid, &Pair)| MemberMarks {
            user_id: *user,
            delivered: pair.delivered,
            read: pair.read,
        };
        self.others.iter().map(mark).collect()
    }

    /// Who joins later has both marks at the number of then, so the smallest mark is that of
    /// the people who were there.
    pub(crate) fn tick(&self, seq: i64) -> Tick {
        let is_all = |has: fn(&Pair) -> i64| self.others.values().all(|pair| has(pair) >= seq);
        if !self.is_complete || self.others.is_empty() {
            return Tick::Stored;
        }
        match (is_all(|pair| pair.delivered), is_all(|pair| pair.read)) {
            (_, true) => Tick::Read,
            (true, false) => Tick::Delivered,
            (false, false) => Tick::Stored,
        }
    }
}
