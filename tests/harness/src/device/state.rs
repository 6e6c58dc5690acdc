//! What an app keeps, and what it does next: the client's rules without any I/O.
//!
//! Everything that happens is told to [`State`], with the time in milliseconds of any clock;
//! [`State::due`] then answers what is to be done. One cursor a conversation decides which push
//! is news, one outbox a conversation keeps one frame in flight.

use std::collections::BTreeMap;

use protocol::body::ChangeList;
use protocol::frame::{ClientFrame, ErrorData, MessageSend, Messages, Said, ServerFrame};
use protocol::value::Message;
use serde_json::Value;
use uuid::Uuid;

use super::room::{Post, Room};

/// One app of one person.
#[derive(Debug)]
pub struct State {
    me: Uuid,
    is_online: bool,
    rooms: BTreeMap<Uuid, Room>,
    frames_said: u64,
    /// Frames that nobody understands.
    complaints: Vec<String>,
}

/// Something that only the shell around can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Say(ClientFrame),
    /// `GET …/changes?after=`
    Fetch {
        conversation: Uuid,
        after: i64,
    },
}

impl State {
    pub fn new(me: Uuid) -> Self {
        Self { me, is_online: false, rooms: BTreeMap::new(), frames_said: 0, complaints: vec![] }
    }

    fn room(&mut self, conversation: Uuid) -> &mut Room {
        self.rooms.entry(conversation).or_default()
    }

    /// Everything rendered so far, in the order in which it was.
    pub fn transcript(&self, conversation: Uuid) -> &[Message] {
        self.rooms.get(&conversation).map_or(&[], Room::rendered)
    }

    pub fn cursor(&self, conversation: Uuid) -> i64 {
        self.rooms.get(&conversation).map_or(0, Room::cursor)
    }

    /// Why one's own messages did not become history, by their client id.
    pub fn refusals(&self, conversation: Uuid) -> BTreeMap<Uuid, String> {
        self.rooms.get(&conversation).map(Room::refusals).cloned().unwrap_or_default()
    }

    /// Own messages whose end is not known yet.
    pub fn unsettled(&self) -> usize {
        self.rooms.values().map(Room::unsettled).sum()
    }

    /// Own messages that are not even in the queue yet.
    pub fn unaccepted(&self) -> usize {
        self.rooms.values().map(Room::unaccepted).sum()
    }

    pub fn is_online(&self) -> bool {
        self.is_online
    }

    /// A conversation to follow from its beginning.
    pub fn follow(&mut self, conversation: Uuid, now: u64) {
        self.room(conversation).fetch_at(now);
    }

    /// Into the outbox.
    pub fn post(&mut self, conversation: Uuid, client_id: Uuid, text: &str) {
        self.room(conversation).post(Post { client_id, text: text.to_owned() });
    }

    /// The socket is open: what was in flight is said again, what was missed is fetched.
    pub fn opened(&mut self, now: u64) {
        self.is_online = true;
        for room in self.rooms.values_mut() {
            room.take_back(now);
            room.fetch_at(now);
        }
    }

    pub fn lost(&mut self) {
        self.is_online = false;
    }

    pub fn heard(&mut self, frame: ServerFrame, now: u64) {
        match frame.said {
            Said::MessageNew(messages) => self.pushed(messages, now),
            Said::MessageAccepted(accepted) => {
                self.room(accepted.conversation_id).accepted(&accepted.client_ids, now);
            }
            Said::MessageRejected(no) => {
                self.room(no.conversation_id).refused(no.client_id, &no.code);
            }
            Said::Nudge(nudge) => self.behind(nudge.conversation_id, nudge.last_seq, now),
            Said::HeartbeatOk(ok) => {
                ok.behind.iter().for_each(|b| self.behind(b.conversation_id, b.last_seq, now));
            }
            Said::ConversationChanged(changed) => {
                self.room(changed.conversation.id);
            }
            Said::Error(error) => self.error(frame.in_reply_to, &error, now),
            Said::Bye(_) => {}
        }
    }

    /// A function failed behind the gateway, which does not say for which frame.
    pub fn gateway_failed(&mut self, now: u64) {
        self.rooms.values_mut().for_each(|room| room.take_back(now + 500));
    }

    /// A frame came that is not in the protocol.
    pub fn complain(&mut self, why: String) {
        self.complaints.push(why);
    }

    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    fn pushed(&mut self, messages: Messages, now: u64) {
        let me = self.me;
        self.room(messages.conversation_id).pushed(messages, me, now);
    }

    fn behind(&mut self, conversation: Uuid, last_seq: i64, now: u64) {
        let room = self.room(conversation);
        if last_seq > room.cursor() {
            room.fetch_at(now);
        }
    }

    fn error(&mut self, frame_id: Option<Uuid>, error: &ErrorData, now: u64) {
        let is_asked = |room: &&mut Room| frame_id.is_some_and(|id| room.is_in_flight(id));
        let Some(room) = self.rooms.values_mut().find(is_asked) else { return };
        match error.retry_after_ms {
            Some(wait) => room.take_back(now + wait),
            None => room.refuse_all_in_flight(&error.code),
        }
    }

    /// The answer to [`Action::Fetch`].
    pub fn fetched(&mut self, conversation: Uuid, changes: ChangeList, now: u64) {
        let me = self.me;
        self.room(conversation).fetched(changes, me, now);
    }

    pub fn fetch_failed(&mut self, conversation: Uuid, now: u64) {
        self.room(conversation).fetch_failed(now);
    }

    /// What is to be done now; each thing is answered once.
    pub fn due(&mut self, now: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        let (me, is_online) = (self.me, self.is_online);
        for (conversation, room) in &mut self.rooms {
            room.watch(now);
            if let Some(after) = room.take_fetch(now) {
                actions.push(Action::Fetch { conversation: *conversation, after });
            }
            let id = Uuid::from_u64_pair(me.as_u64_pair().1, self.frames_said);
            let Some(messages) = is_online.then(|| room.take_off(id, now)).flatten() else {
                continue;
            };
            self.frames_said += 1;
            let conversation_id = Some(conversation.to_string());
            let send = MessageSend { conversation_id, messages: Some(messages) };
            let data = serde_json::to_value(send).unwrap_or(Value::Null);
            actions.push(Action::Say(ClientFrame {
                frame_type: "message.send".to_owned(),
                id,
                data,
            }));
        }
        actions
    }
}
