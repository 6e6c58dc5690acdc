//! What comes from outside: sockets and their frames, answers to requests.

use protocol::body::Sync;
use protocol::frame::{
    ContactChanged, ConversationChanged, ErrorData, Messages, Said, ServerFrame,
};
use uuid::Uuid;

use super::action::{Answer, Ask, AskError, Event};
use super::room::Room;
use super::state::{Asked, State};

impl State {
    /// [`super::Action::OpenSocket`] was done.
    pub fn opened(&mut self, socket: u64, now: u64) {
        let was_online = self.is_online();
        if !self.links.opened(socket, now) {
            self.to_close.push(socket);
            return;
        }
        if !was_online {
            self.told.tell(Event::Online);
            self.ask_again(now);
        }
        self.sync.opened(!was_online, now);
        self.presence.opened(now);
    }

    /// Requests of before the connection was lost may hang for long.
    fn ask_again(&mut self, now: u64) {
        for Asked { ask, .. } in std::mem::take(&mut self.asked).into_values() {
            let (Ask::Changes { conversation, .. } | Ask::Receipts { conversation }) = ask else {
                continue;
            };
            if let Some(room) = self.rooms.get_mut(&conversation) {
                room.ask_again(&ask, now);
            }
        }
    }

    /// It could not be opened, or has ended.
    pub fn closed(&mut self, socket: u64, now: u64) {
        let was_online = self.is_online();
        self.links.closed(socket, now, &mut self.chance);
        self.rooms.values_mut().for_each(|room| room.outbox.closed(socket, now));
        if was_online && !self.is_online() {
            self.went_offline();
        }
    }

    /// No socket will open any more: the session has ended, and its tokens are worth nothing.
    pub fn session_ended(&mut self, reason: &str) {
        if self.links.ended().is_none() {
            self.links.end(reason);
            self.told.tell(Event::Ended { reason: reason.to_owned() });
        }
    }

    pub(crate) fn went_offline(&mut self) {
        self.sync.offline();
        self.rooms.values_mut().for_each(|room| room.typing.offline());
        for user in self.presence.offline() {
            self.told.tell(Event::Presence { user });
        }
        self.told.tell(Event::Offline);
    }

    /// A frame came. Frames of a socket that the core has given up count too: what was said on it
    /// may be answered late.
    pub fn heard(&mut self, socket: u64, frame: ServerFrame, now: u64) {
        self.links.heard(socket, now);
        match frame.said {
            Said::MessageNew(messages) | Said::MessageChanged(messages) => {
                self.pushed(messages, now);
            }
            Said::MessageAccepted(accepted) => {
                let conversation = accepted.conversation_id;
                let Some((room, around)) = self.room(conversation, now) else { return };
                for client_id in room.outbox.accepted(&accepted.client_ids, now) {
                    around.told.tell(Event::Accepted { conversation, client_id });
                }
            }
            Said::MessageRejected(no) => {
                let (conversation, client_id) = (no.conversation_id, no.client_id);
                let Some((room, around)) = self.room(conversation, now) else { return };
                if room.outbox.rejected(client_id, &no.code, no.retryable, now) {
                    // It knows better who is in.
                    if no.code == "not_a_member" {
                        room.want_fetch(now);
                    }
                    around.told.tell(Event::Refused { conversation, client_id, code: no.code });
                }
            }
            Said::Nudge(nudge) => {
                if let Some((room, mut around)) = self.room(nudge.conversation_id, now) {
                    room.nudged(nudge.last_seq, &mut around);
                }
            }
            Said::HeartbeatOk(ok) => {
                self.links.heartbeat_answered(socket);
                self.sync.beat(now);
                self.rooms.values_mut().for_each(|room| room.beat(now));
                ok.behind.iter().for_each(|b| self.behind(b.conversation_id, b.last_seq, now));
            }
            Said::Error(error) => self.failed(socket, frame.in_reply_to, &error, now),
            Said::Bye(bye) => self.bye(socket, &bye.reason, bye.reconnect_after_ms, now),
            other => self.told_of_others(other, now),
        }
    }

    /// What is not about one's own sending.
    fn told_of_others(&mut self, said: Said, now: u64) {
        match said {
            Said::ConversationChanged(ConversationChanged::Is { conversation }) => {
                if let Some((room, mut around)) = self.room(conversation.id, now) {
                    room.changed(conversation, &mut around);
                }
            }
            // It may be late, and one may be back already: the next fetch tells.
            Said::ConversationChanged(ConversationChanged::Removed { conversation_id, .. }) => {
                if let Some(room) = self.rooms.get_mut(&conversation_id) {
                    room.want_fetch(now);
                }
            }
            Said::ContactChanged(ContactChanged { user_id: user, status, .. }) => {
                self.told.tell(Event::Contact { user, status });
            }
            Said::ReceiptUpdated(receipts) => {
                if let Some((room, mut around)) = self.room(receipts.conversation_id, now) {
                    room.marked(&receipts.marks, &mut around);
                }
            }
            Said::Typing(typing) => {
                let conversation = typing.conversation_id;
                // Whoever is not known to be talked with does not make a conversation by typing.
                let Some(room) = self.rooms.get_mut(&conversation) else { return };
                if typing.user_id != self.me {
                    room.typing.heard(typing.user_id, typing.active, typing.expires_in_ms, now);
                    self.told.tell(Event::Conversation { conversation });
                }
            }
            Said::PresenceChanged(changed) => {
                for seen in changed.users {
                    let user = seen.user_id;
                    if self.presence.heard(seen) {
                        self.told.tell(Event::Presence { user });
                    }
                }
            }
            _ => {}
        }
    }

    /// API Gateway's own words: a function failed behind it, and it does not say for which frame.
    pub fn gateway_failed(&mut self, socket: u64, now: u64) {
        self.links.heard(socket, now);
        self.links.heartbeat_failed(socket, now);
        for room in self.rooms.values_mut() {
            if room.outbox.is_in_flight_on(socket) {
                room.outbox.take_back_after_failure(now, &mut self.chance);
            }
            room.marks.doubt_lately_told(now);
        }
    }

    /// One is not a member any more, or has hidden the conversation on another device.
    pub fn removed(&mut self, conversation: Uuid, now: u64) {
        self.sync.named(conversation);
        if let Some((room, mut around)) = self.room_there(conversation, now) {
            room.unlisted(&mut around);
        }
    }

    fn bye(&mut self, socket: u64, reason: &str, reconnect_after_ms: u64, now: u64) {
        let was_ended = self.links.ended().is_some();
        self.links.bye(socket, reason, reconnect_after_ms, now);
        if let Some(reason) = self.links.ended().filter(|_| !was_ended) {
            self.told.tell(Event::Ended { reason: reason.to_owned() });
        }
    }

    fn pushed(&mut self, messages: Messages, now: u64) {
        let is_buffering = self.sync.is_buffering();
        if let Some((room, mut around)) = self.room(messages.conversation_id, now) {
            room.pushed(messages, is_buffering, &mut around);
        }
    }

    fn behind(&mut self, conversation: Uuid, last_seq: i64, now: u64) {
        if let Some((room, _)) = self.room(conversation, now) {
            room.behind(last_seq, now);
        }
    }

    fn failed(&mut self, socket: u64, frame_id: Option<Uuid>, error: &ErrorData, now: u64) {
        if frame_id.is_some_and(|id| self.links.is_heartbeat(id)) {
            self.links.heartbeat_failed(socket, now);
        }
        let is_asked = |room: &&mut Room| frame_id.is_some_and(|id| room.outbox.is_in_flight(id));
        if let Some(room) = self.rooms.values_mut().find(is_asked) {
            let conversation = room.id();
            // One is out, and has not heard of it.
            if error.code == "conversation_not_found" {
                room.want_fetch(now);
            }
            for (client_id, code) in room.outbox.frame_failed(error, now, &mut self.chance) {
                self.told.tell(Event::Refused { conversation, client_id, code });
            }
        } else if error.retry_after_ms.is_some() {
            // Perhaps a receipt; nobody keeps their names.
            self.rooms.values_mut().for_each(|room| room.marks.doubt_lately_told(now));
        }
        if error.code == "unauthenticated" && self.links.is_open(socket) {
            // Nobody is known behind this socket: it is deaf.
            self.to_close.push(socket);
            self.closed(socket, now);
        }
    }

    /// The answer to [`super::Action::Ask`]; late and repeated ones are ignored.
    pub fn answered(&mut self, request: u64, answer: Result<Answer, AskError>, now: u64) {
        let Some(Asked { ask, .. }) = self.asked.remove(&request) else { return };
        match (ask, answer) {
            (Ask::Sync { .. }, answer) => {
                if self.sync.is_asked(request) {
                    self.synced(answer, now);
                }
            }
            (Ask::Changes { conversation, .. }, answer) => {
                self.changes_answered(conversation, answer, now);
            }
            (Ask::Receipts { conversation }, answer) => {
                self.receipts_answered(conversation, answer, now);
            }
        }
    }

    fn synced(&mut self, answer: Result<Answer, AskError>, now: u64) {
        match answer {
            Ok(Answer::Sync(page)) => self.sync_page(page, now),
            Err(AskError::Expired) if self.sync.cursor().is_some() => self.sync.expired(now),
            Ok(_) | Err(_) => {
                if self.sync.failed(now, &mut self.chance) {
                    // Without a sync, each conversation is asked for itself.
                    self.rooms.values_mut().for_each(|room| room.want_fetch(now));
                    self.caught_up(now);
                }
            }
        }
    }

    fn sync_page(&mut self, page: Sync, now: u64) {
        for entry in page.conversations {
            if let Some((room, mut around)) = self.room(entry.conversation.id, now) {
                room.entered(entry, &mut around);
            }
        }
        page.removed.into_iter().for_each(|id| self.removed(id, now));
        let is_first = self.sync.is_first();
        if let Some(unnamed) = self.sync.page(page.next_cursor, page.has_more, now) {
            unnamed.into_iter().for_each(|id| self.removed(id, now));
            if is_first {
                self.caught_up(now);
            }
        }
    }

    /// The first sync of a socket has ended, either way: what was pushed meanwhile is applied.
    fn caught_up(&mut self, now: u64) {
        let ids: Vec<Uuid> = self.rooms.keys().copied().collect();
        for id in ids {
            let Some((room, mut around)) = self.room_there(id, now) else { continue };
            room.settle(&mut around);
            room.marks.doubt();
            room.doubt_receipts(now);
        }
    }

    fn changes_answered(&mut self, id: Uuid, answer: Result<Answer, AskError>, now: u64) {
        let Some((room, mut around)) = self.room_there(id, now) else { return };
        match answer {
            Ok(Answer::Changes(changes)) => room.fetched(changes, &mut around),
            Err(AskError::Gone) => room.gone(&mut around),
            Ok(_) | Err(_) => room.fetch_failed(now, around.chance),
        }
    }

    fn receipts_answered(&mut self, id: Uuid, answer: Result<Answer, AskError>, now: u64) {
        let Some((room, mut around)) = self.room_there(id, now) else { return };
        match answer {
            Ok(Answer::Receipts(marks)) => room.receipts_told(&marks, &mut around),
            Ok(_) | Err(_) => room.receipts_failed(now, around.chance),
        }
    }
}
