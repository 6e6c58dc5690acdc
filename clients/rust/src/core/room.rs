//! One conversation on one device: its cursor, what it shows, what it waits for.

use protocol::body::ConversationEntry;
use protocol::frame::Messages;
use protocol::value::{Conversation, MemberMarks, Message};
use uuid::Uuid;

use super::action::{Ask, Event};
use super::chance::Chance;
use super::description::Description;
use super::marks::{Marks, Tick};
use super::outbox::Outbox;
use super::told::Told;
use super::transcript::Transcript;
use super::typing::Typing;
use super::wish::Wish;

/// A push may overtake another by this much before it counts as a gap.
const GAP_PATIENCE_MS: u64 = 500;
/// Before members' marks are asked for again.
const RECEIPTS_RETRY_MS: u64 = 30_000;
const RECEIPTS_RETRY_MOST_MS: u64 = 600_000;

/// What every room needs to know of the app around it.
pub(crate) struct Around<'a> {
    pub me: Uuid,
    pub now: u64,
    pub messages_kept: usize,
    pub chance: &'a mut Chance,
    pub told: &'a mut Told,
}

/// One conversation.
#[derive(Debug)]
pub(crate) struct Room {
    pub(super) id: Uuid,
    pub(super) cursor: i64,
    pub(super) transcript: Transcript,
    pub(super) held: Vec<Messages>,
    pub(super) gap_since: Option<u64>,
    pub(super) fetch: Wish,
    pub(super) receipts: Wish,
    /// Of the newest message of one's own.
    pub(super) own_seq: i64,
    /// Heartbeats since anything was heard of how far it has got.
    pub(super) own_beats: u32,
    /// A message of somebody else was applied, and no receipt is under way for it.
    pub(super) has_news: bool,
    pub(super) is_removed: bool,
    pub(super) description: Description,
    pub outbox: Outbox,
    pub marks: Marks,
    pub typing: Typing,
}

impl Room {
    pub(crate) fn new(id: Uuid) -> Self {
        Self {
            id,
            cursor: 0,
            transcript: Transcript::default(),
            held: Vec::new(),
            gap_since: None,
            fetch: Wish::default(),
            receipts: Wish::default(),
            own_seq: 0,
            own_beats: 0,
            has_news: false,
            is_removed: false,
            description: Description::default(),
            outbox: Outbox::default(),
            marks: Marks::default(),
            typing: Typing::default(),
        }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// Nothing is known to be missing.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.held.is_empty() && !self.fetch.is_open() && self.description.wake().is_none()
    }

    pub(crate) fn cursor(&self) -> i64 {
        self.cursor
    }

    pub(crate) fn messages(&self) -> &[Message] {
        self.transcript.messages()
    }

    pub(crate) fn conversation(&self) -> Option<&Conversation> {
        self.description.known()
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.is_removed
    }

    /// Undeleted messages of others, beyond what is read.
    pub(crate) fn unread(&self, me: Uuid) -> usize {
        let read = self.marks.read();
        let messages = self.transcript.messages().iter().rev();
        let unread = messages.take_while(|message| message.seq > read);
        let counts = |message: &&Message| {
            message.sender_id != me && message.deleted_at.is_none() && message.kind != "system"
        };
        unread.filter(counts).count()
    }

    pub(crate) fn want_fetch(&mut self, at: u64) {
        self.fetch.want(at);
    }

    /// It may be one that nobody has told of yet, or one may be in again.
    pub(crate) fn nudged(&mut self, last_seq: i64, around: &mut Around<'_>) {
        self.description.doubt_before(0, around.now, around.chance);
        if self.is_removed || last_seq > self.cursor {
            self.fetch.want(around.now);
        }
    }

    /// Somebody says how far the conversation has got.
    pub(crate) fn behind(&mut self, last_seq: i64, now: u64) {
        if last_seq > self.cursor {
            self.fetch.want(now);
        }
    }

    /// As a sync lists it.
    pub(crate) fn entered(&mut self, entry: ConversationEntry, around: &mut Around<'_>) {
        self.there_again(around.now);
        self.marks.known(entry.my.delivered, entry.my.read);
        self.behind(entry.conversation.last_seq, around.now);
        self.described(entry.conversation, around);
    }

    /// Somebody changed it, or let one in. It brings back nothing that was hidden.
    pub(crate) fn changed(&mut self, conversation: Conversation, around: &mut Around<'_>) {
        if !self.can_be_hidden() {
            self.there_again(around.now);
        }
        self.behind(conversation.last_seq, around.now);
        self.described(conversation, around);
    }

    pub(crate) fn described(&mut self, conversation: Conversation, around: &mut Around<'_>) {
        self.description.told(conversation);
        around.told.tell(Event::Conversation { conversation: self.id });
    }

    /// Something says that one is in it. That may be late, and one may be out by now: a fetch
    /// tells.
    pub(super) fn there_again(&mut self, now: u64) {
        if std::mem::take(&mut self.is_removed) {
            self.fetch.want(now);
        }
    }

    /// A sync does not list it any more: one is out, or has hidden it. Who is out may be back by
    /// now: a fetch tells. What is hidden stays so until its next message.
    pub(crate) fn unlisted(&mut self, around: &mut Around<'_>) {
        if !self.is_removed && !self.can_be_hidden() {
            self.fetch.want(around.now);
        }
        self.removed(around.told);
    }

    pub(super) fn can_be_hidden(&self) -> bool {
        self.description.known().is_some_and(|known| known.conversation_type == "direct")
    }

    pub(super) fn removed(&mut self, told: &mut Told) {
        if !self.is_removed {
            self.is_removed = true;
            told.tell(Event::Removed { conversation: self.id });
        }
    }

    /// This request is not waited for any longer.
    pub(crate) fn ask_again(&mut self, ask: &Ask, now: u64) {
        let wish = match ask {
            Ask::Receipts { .. } => &mut self.receipts,
            Ask::Changes { .. } | Ask::Sync { .. } => &mut self.fetch,
        };
        wish.again(now);
    }

    /// Others' marks may have moved unheard.
    pub(crate) fn doubt_receipts(&mut self, now: u64) {
        if self.own_seq > 0 && self.marks.tick(self.own_seq) != Tick::Read {
            self.receipts.want_unless_wanted(now);
        }
    }

    /// A heartbeat was answered: a mark that was lost is found, looked for ever less often.
    pub(crate) fn beat(&mut self, now: u64) {
        self.own_beats = self.own_beats.saturating_add(1);
        if self.own_beats.is_power_of_two() {
            self.doubt_receipts(now);
        }
    }

    pub(crate) fn receipts_told(&mut self, marks: &[MemberMarks], around: &mut Around<'_>) {
        self.receipts.done();
        let (mine, others): (Vec<MemberMarks>, Vec<MemberMarks>) =
            marks.iter().cloned().partition(|mark| mark.user_id == around.me);
        mine.iter().for_each(|mark| {
            self.marks.known(mark.delivered, mark.read);
        });
        self.marks.all(&others);
        around.told.tell(Event::Conversation { conversation: self.id });
    }

    pub(crate) fn knows_ticks(&self) -> bool {
        self.own_seq == 0 || self.marks.is_complete() && !self.receipts.is_under_way()
    }

    pub(crate) fn receipts_failed(&mut self, now: u64, chance: &mut Chance) {
        self.receipts.failed(now, RECEIPTS_RETRY_MS, RECEIPTS_RETRY_MOST_MS, chance);
    }

    /// `receipt.updated`
    pub(crate) fn marked(&mut self, marks: &[MemberMarks], around: &mut Around<'_>) {
        let mut is_news = false;
        for mark in marks {
            is_news |= if mark.user_id == around.me {
                self.marks.known(mark.delivered, mark.read)
            } else {
                self.marks.updated(std::slice::from_ref(mark))
            };
        }
        if is_news {
            self.own_beats = 0;
            around.told.tell(Event::Conversation { conversation: self.id });
        }
    }

    /// Looks for patience that has run out.
    pub(crate) fn watch(&mut self, sees_gaps: bool, around: &mut Around<'_>) {
        let now = around.now;
        let is_gap = self.gap_since.is_some_and(|since| now >= since + GAP_PATIENCE_MS);
        if is_gap && sees_gaps {
            self.gap_since = Some(now);
            // A fetch that failed keeps the time of its retry.
            self.fetch.want_unless_wanted(now);
        }
        if self.outbox.watch(now, around.chance) {
            self.fetch.want(now);
        }
        if self.typing.expire(now) {
            around.told.tell(Event::Conversation { conversation: self.id });
        }
    }

    /// The cursor to fetch from.
    pub(crate) fn take_fetch(&mut self, now: u64) -> Option<i64> {
        self.fetch.take(now).then(|| {
            self.outbox.look_began();
            self.cursor
        })
    }

    pub(crate) fn take_receipts(&mut self, now: u64) -> bool {
        !self.is_removed && self.receipts.take(now)
    }

    /// When something is to be done next. Without a socket nothing is asked for or said.
    pub(crate) fn wake(&self, is_online: bool, can_ask: bool, sees_gaps: bool) -> Option<u64> {
        let gap = self.gap_since.filter(|_| sees_gaps).map(|since| since + GAP_PATIENCE_MS);
        let receipts = self.receipts.wake().filter(|_| !self.is_removed);
        let asks = self.fetch.wake().into_iter().chain(receipts).filter(|_| can_ask);
        let marks = self.marks.wake().filter(|_| !self.is_removed);
        let says = marks.into_iter().chain(self.typing.say_wake()).filter(|_| is_online);
        let outbox = self.outbox.wake(is_online);
        let told = self.typing.expiry().into_iter().chain(self.description.wake());
        gap.into_iter().chain(asks).chain(says).chain(outbox).chain(told).min()
    }

    /// The marks to tell now.
    pub(crate) fn take_marks(&mut self, now: u64) -> Option<(i64, Option<i64>)> {
        if self.is_removed { None } else { self.marks.take(now) }
    }
}
