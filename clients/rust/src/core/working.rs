//! What is to be done, and when to look again.

use protocol::frame::{ClientFrame, Cursor};
use uuid::Uuid;

use super::action::{Action, Ask, AskError};
use super::says;
use super::state::{Asked, State};

/// Requests under way at one time.
const ASKS_MOST: usize = 8;
/// A request without an answer is given up.
const ASK_PATIENCE_MS: u64 = 45_000;
/// Of the protocol.
const CURSORS_PER_HEARTBEAT: usize = 200;

impl State {
    /// What is to be done now; each thing is answered once.
    pub fn due(&mut self, now: u64) -> Vec<Action> {
        self.lose_patience(now);
        let closing = self.to_close.drain(..).map(|socket| Action::CloseSocket { socket });
        let mut actions: Vec<Action> = closing.collect();
        if let Some(socket) = self.links.take_opening(now) {
            actions.push(Action::OpenSocket { socket });
        }
        if let Some(socket) = self.links.newest() {
            self.ask(now, &mut actions);
            let frames = self.frames(socket, now);
            actions.extend(frames.into_iter().map(|frame| Action::Say { socket, frame }));
        }
        actions
    }

    /// When [`Self::due`] may have something without anything being told before; `None`: never.
    pub fn next_wake(&self, now: u64) -> Option<u64> {
        let is_online = self.is_online();
        let can_ask = is_online && self.asked.len() < ASKS_MOST;
        let sees_gaps = is_online && !self.sync.is_buffering();
        let closing = (!self.to_close.is_empty()).then_some(now);
        let sync = self.sync.wake().filter(|_| is_online);
        let presence = self.presence.wake().filter(|_| is_online);
        let asked = self.asked.values().map(|asked| asked.since + ASK_PATIENCE_MS);
        let rooms = self.rooms.values().filter_map(|room| room.wake(is_online, can_ask, sees_gaps));
        let own = [closing, self.links.wake(), sync, presence].into_iter().flatten();
        own.chain(asked).chain(rooms).min().map(|at| at.max(now))
    }

    fn lose_patience(&mut self, now: u64) {
        let (rooms, is_syncing) = (&self.rooms, self.sync.is_under_way());
        let is_awaited = |socket| rooms.values().any(|room| room.outbox.is_in_flight_on(socket));
        let is_in_use = |socket| is_syncing || is_awaited(socket);
        for socket in self.links.expired(now, is_in_use) {
            self.to_close.push(socket);
            self.closed(socket, now);
        }
        let late = self.asked.iter().filter(|(_, asked)| now >= asked.since + ASK_PATIENCE_MS);
        let late: Vec<u64> = late.map(|(request, _)| *request).collect();
        late.into_iter().for_each(|request| self.answered(request, Err(AskError::Failed), now));
        for (socket, since) in self.rooms.values().filter_map(|room| room.outbox.unanswered(now)) {
            self.links.suspect(socket, since, now);
        }
        let sees_gaps = self.is_online() && !self.sync.is_buffering();
        let ids: Vec<Uuid> = self.rooms.keys().copied().collect();
        for id in ids {
            if let Some((room, mut around)) = self.room_there(id, now) {
                room.watch(sees_gaps, &mut around);
                // The sync of the next socket tells it otherwise.
                if room.description.take_doubt(now) && self.links.newest().is_some() {
                    self.sync.want(now);
                }
            }
        }
    }

    fn ask(&mut self, now: u64, actions: &mut Vec<Action>) {
        if self.sync.wake().is_some_and(|at| now >= at) {
            let request = self.requests + 1;
            let there = self.rooms.iter().filter(|(_, room)| !room.is_removed());
            self.sync.take(request, there.map(|(id, _)| *id));
            let cursor = self.sync.cursor().map(str::to_owned);
            actions.push(self.asking(Ask::Sync { cursor }, now));
        }
        let ids: Vec<Uuid> = self.rooms.keys().copied().collect();
        for conversation in ids {
            if self.asked.len() >= ASKS_MOST {
                return;
            }
            let Some(room) = self.rooms.get_mut(&conversation) else { continue };
            let after = room.take_fetch(now);
            let wants_receipts = room.take_receipts(now);
            if let Some(after) = after {
                actions.push(self.asking(Ask::Changes { conversation, after }, now));
            }
            if wants_receipts {
                actions.push(self.asking(Ask::Receipts { conversation }, now));
            }
        }
    }

    fn asking(&mut self, ask: Ask, now: u64) -> Action {
        self.requests += 1;
        let request = self.requests;
        self.asked.insert(request, Asked { ask: ask.clone(), since: now });
        Action::Ask { request, ask }
    }

    fn frames(&mut self, socket: u64, now: u64) -> Vec<ClientFrame> {
        let mut frames = Vec::new();
        let chance = &mut self.chance;
        for (conversation, room) in &mut self.rooms {
            if let Some((id, drafts)) = room.outbox.take_off(socket, now, chance) {
                frames.push(says::send(id, *conversation, drafts));
            }
            if let Some((delivered, read)) = room.take_marks(now) {
                frames.push(says::receipt(chance.id(), *conversation, delivered, read));
            }
            if let Some(is_active) = room.typing.take(now) {
                frames.push(says::typing(chance.id(), *conversation, is_active));
            }
        }
        for saying in self.presence.take(now) {
            frames.push(says::presence(chance.id(), saying));
        }
        if self.links.heartbeat_due(now).is_some() {
            let id = self.chance.id();
            let cursors = self.next_cursors();
            self.links.beat(id, now);
            frames.push(says::heartbeat(id, cursors));
        }
        frames
    }

    /// The next 200 after those of the last heartbeat, and round again.
    fn next_cursors(&mut self) -> Vec<Cursor> {
        let there = |after: Option<Uuid>| {
            let rooms = self.rooms.iter().filter(|(_, room)| !room.is_removed());
            rooms.filter(move |(id, _)| after.is_none_or(|after| **id > after))
        };
        let rest = there(self.beaten).count();
        let again = if rest < CURSORS_PER_HEARTBEAT && self.beaten.is_some() {
            let begun = self.beaten;
            Some(there(None).take_while(move |(id, _)| begun.is_some_and(|end| **id <= end)))
        } else {
            None
        };
        let cursors: Vec<Cursor> = there(self.beaten)
            .chain(again.into_iter().flatten())
            .take(CURSORS_PER_HEARTBEAT)
            .map(|(id, room)| Cursor { conversation_id: *id, cursor: room.cursor() })
            .collect();
        self.beaten = cursors.last().map(|cursor| cursor.conversation_id);
        cursors
    }
}
