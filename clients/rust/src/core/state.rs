//! One app of one person: what it is told, and what it shows.

use std::collections::BTreeMap;

use protocol::value::{Conversation, MemberMarks, Message, MessageDraft, Presence as Seen};
use uuid::Uuid;

use super::action::{Ask, Event};
use super::chance::Chance;
use super::links::Links;
use super::marks::Tick;
use super::outbox::{Pending, Stage};
use super::presence::Presence;
use super::room::{Around, Room};
use super::sync::Syncing;
use super::told::Told;

/// Conversations of one person; more are not followed.
const ROOMS_MOST: usize = 10_000;

/// What is different from app to app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Of ids of frames and of jitter; another one for each app.
    pub seed: u64,
    /// Between two heartbeats.
    pub heartbeat_ms: u64,
    /// Messages of a conversation that are kept to be shown; older ones are forgotten.
    pub messages_kept: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, heartbeat_ms: 240_000, messages_kept: 10_000 }
    }
}

/// A request without an answer yet.
#[derive(Debug)]
pub(crate) struct Asked {
    pub ask: Ask,
    pub since: u64,
}

/// One app of one person.
#[derive(Debug)]
pub struct State {
    pub(crate) me: Uuid,
    pub(crate) settings: Settings,
    pub(crate) chance: Chance,
    pub(crate) links: Links,
    /// Sockets that the core has given up and the shell has not heard of yet.
    pub(crate) to_close: Vec<u64>,
    pub(crate) sync: Syncing,
    pub(crate) rooms: BTreeMap<Uuid, Room>,
    pub(crate) presence: Presence,
    pub(crate) asked: BTreeMap<u64, Asked>,
    pub(crate) requests: u64,
    /// The last conversation that a heartbeat named.
    pub(crate) beaten: Option<Uuid>,
    pub(crate) told: Told,
}

impl State {
    /// An app of this person, which stays offline until [`Self::connect`].
    pub fn new(me: Uuid, settings: Settings) -> Self {
        Self {
            me,
            chance: Chance::new(settings.seed),
            links: Links::new(settings.heartbeat_ms),
            settings,
            to_close: Vec::new(),
            sync: Syncing::default(),
            rooms: BTreeMap::new(),
            presence: Presence::default(),
            asked: BTreeMap::new(),
            requests: 0,
            beaten: None,
            told: Told::default(),
        }
    }

    /// The room, new or not, and what it needs of the rest. `None`: there are too many.
    pub(crate) fn room(&mut self, id: Uuid, now: u64) -> Option<(&mut Room, Around<'_>)> {
        if self.rooms.len() >= ROOMS_MOST && !self.rooms.contains_key(&id) {
            return None;
        }
        self.sync.named(id);
        self.rooms.entry(id).or_insert_with(|| Room::new(id));
        self.room_there(id, now)
    }

    /// As [`Self::room`], without making one.
    pub(crate) fn room_there(&mut self, id: Uuid, now: u64) -> Option<(&mut Room, Around<'_>)> {
        let around = Around {
            me: self.me,
            now,
            messages_kept: self.settings.messages_kept,
            chance: &mut self.chance,
            told: &mut self.told,
        };
        Some((self.rooms.get_mut(&id)?, around))
    }

    // What the person does.

    /// Be online from now on, and come back whenever the connection is lost.
    pub fn connect(&mut self, now: u64) {
        self.links.connect(now);
    }

    /// Be offline from now on.
    pub fn disconnect(&mut self, now: u64) {
        let was_online = self.is_online();
        for socket in self.links.disconnect() {
            self.to_close.push(socket);
            self.rooms.values_mut().for_each(|room| room.outbox.closed(socket, now));
        }
        if was_online {
            self.went_offline();
        }
    }

    /// A conversation to fetch from its beginning, whether or not a sync has named it.
    pub fn follow(&mut self, conversation: Uuid, now: u64) {
        if let Some((room, _)) = self.room(conversation, now) {
            room.want_fetch(now);
        }
    }

    /// Into the outbox. What cannot be taken is found in [`Self::refusals`] at once:
    /// `outbox_full` or `frame_too_large`.
    pub fn post(&mut self, conversation: Uuid, client_id: Uuid, draft: MessageDraft, now: u64) {
        let Some((room, around)) = self.room(conversation, now) else { return };
        room.typing.posted();
        if let Err(code) = room.outbox.post(client_id, draft) {
            room.outbox.refuse(client_id, code);
            let code = code.to_owned();
            around.told.tell(Event::Refused { conversation, client_id, code });
        }
    }

    /// As [`Self::post`], of nothing but text.
    pub fn post_text(&mut self, conversation: Uuid, client_id: Uuid, text: &str, now: u64) {
        let draft = MessageDraft { text: Some(text.to_owned()), ..MessageDraft::default() };
        self.post(conversation, client_id, draft, now);
    }

    /// Everything up to this number was seen by the person.
    pub fn mark_read(&mut self, conversation: Uuid, seq: i64, now: u64) {
        let Some((room, around)) = self.room(conversation, now) else { return };
        let shown = room.messages().last().map_or(0, |message| message.seq);
        if room.marks.mark_read(seq.min(shown), now) {
            around.told.tell(Event::Conversation { conversation });
        }
    }

    /// To be told on every key, and when the person stops.
    pub fn set_typing(&mut self, conversation: Uuid, is_active: bool, now: u64) {
        if let Some((room, _)) = self.room(conversation, now) {
            room.typing.set(is_active);
        }
    }

    /// `online`, `away`, `dnd` or `invisible`; every next socket is told too.
    pub fn set_presence(&mut self, status: &str) {
        self.presence.set(status);
    }

    /// The people on the screen, in place of those before. Answers how many are too many: only
    /// the first 50 are watched.
    pub fn watch_presence(&mut self, users: &[Uuid], now: u64) -> usize {
        self.presence.watch(users, now)
    }

    // What the person sees.

    /// Whose app it is.
    pub fn me(&self) -> Uuid {
        self.me
    }

    pub fn is_online(&self) -> bool {
        self.links.newest().is_some()
    }

    /// Why the server wants this app offline, if it does; [`Self::connect`] tries again.
    pub fn ended(&self) -> Option<&str> {
        self.links.ended()
    }

    /// Online, synced, and with nothing to fetch: as far as is known, this is how things are.
    pub fn is_caught_up(&self) -> bool {
        let is_fetched = self.rooms.values().all(Room::is_caught_up);
        self.is_online() && !self.sync.is_under_way() && is_fetched
    }

    /// Every conversation that is known, with its description if a sync or a frame gave one.
    pub fn conversations(&self) -> impl Iterator<Item = (Uuid, Option<&Conversation>)> {
        let there = self.rooms.iter().filter(|(_, room)| !room.is_removed());
        there.map(|(id, room)| (*id, room.conversation()))
    }

    /// Was known, and is not there any more.
    pub fn is_removed(&self, conversation: Uuid) -> bool {
        self.rooms.get(&conversation).is_some_and(Room::is_removed)
    }

    /// Everything shown, ascending by seq, each message in its latest version.
    pub fn transcript(&self, conversation: Uuid) -> &[Message] {
        self.rooms.get(&conversation).map_or(&[], Room::messages)
    }

    pub fn cursor(&self, conversation: Uuid) -> i64 {
        self.rooms.get(&conversation).map_or(0, Room::cursor)
    }

    /// Where the next sync begins; to be kept over the life of the app.
    pub fn sync_cursor(&self) -> Option<&str> {
        self.sync.cursor()
    }

    /// Undeleted messages of others that are not read.
    pub fn unread(&self, conversation: Uuid) -> usize {
        self.rooms.get(&conversation).map_or(0, |room| room.unread(self.me))
    }

    /// How far an own message has got that has this number.
    pub fn tick(&self, conversation: Uuid, seq: i64) -> Tick {
        self.rooms.get(&conversation).map_or(Tick::Stored, |room| room.marks.tick(seq))
    }

    /// The marks of all members are known, or nothing of one's own is there to tick off.
    pub fn knows_ticks(&self, conversation: Uuid) -> bool {
        self.rooms.get(&conversation).is_none_or(Room::knows_ticks)
    }

    /// One's own marks, on all devices, as far as is known.
    pub fn my_marks(&self, conversation: Uuid) -> MemberMarks {
        let marks = self.rooms.get(&conversation).map(|room| &room.marks);
        let (delivered, read) = marks.map_or((0, 0), |marks| (marks.delivered(), marks.read()));
        MemberMarks { user_id: self.me, delivered, read }
    }

    /// The marks of the others.
    pub fn marks(&self, conversation: Uuid) -> Vec<MemberMarks> {
        self.rooms.get(&conversation).map_or_else(Vec::new, |room| room.marks.others())
    }

    /// Who types there now.
    pub fn typists(&self, conversation: Uuid, now: u64) -> Vec<Uuid> {
        let room = self.rooms.get(&conversation);
        room.map_or_else(Vec::new, |room| room.typing.typists(now))
    }

    /// Of somebody who is watched; `None`: not known.
    pub fn presence(&self, user: Uuid) -> Option<&Seen> {
        self.presence.seen(user)
    }

    /// Own messages that are not in history yet, in the order of posting.
    pub fn pending(&self, conversation: Uuid) -> Vec<Pending> {
        self.rooms.get(&conversation).map_or_else(Vec::new, |room| room.outbox.pending())
    }

    /// How far this own message has got; `None`: it has an end, or was never posted.
    pub fn stage(&self, conversation: Uuid, client_id: Uuid) -> Option<Stage> {
        let pending = self.pending(conversation).into_iter();
        pending.filter(|post| post.client_id == client_id).map(|post| post.stage).next()
    }

    /// Why one's own messages did not become history, by their client id.
    pub fn refusals(&self, conversation: Uuid) -> BTreeMap<Uuid, String> {
        let room = self.rooms.get(&conversation);
        room.map(|room| room.outbox.refusals().clone()).unwrap_or_default()
    }

    /// Own messages whose end is not known yet.
    pub fn unsettled(&self) -> usize {
        self.rooms.values().map(|room| room.outbox.unsettled()).sum()
    }

    /// Own messages that are not even known to be in the queue.
    pub fn unaccepted(&self) -> usize {
        self.rooms.values().map(|room| room.outbox.unaccepted()).sum()
    }

    /// What has happened since this was last called. Nobody needs to call it: the oldest are
    /// forgotten then.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.told.take()
    }

    /// Grows with every event.
    pub fn event_count(&self) -> u64 {
        self.told.count()
    }

    /// Events that nobody took in time.
    pub fn forgotten_events(&self) -> u64 {
        self.told.forgotten()
    }
}
