//! The client's rules as promises.

mod cursors;
mod others;
mod outages;
mod removals;
mod sending;
mod sockets;
mod syncing;

use protocol::body::{ChangeList, ConversationEntry, My, Sync};
use protocol::frame::{Messages, Said, ServerFrame};
use protocol::value::{Conversation, Message};
use serde_json::Value;
use uuid::Uuid;

use super::{Action, Answer, Ask, Event, Settings, State};

pub(crate) const ROOM: Uuid = Uuid::from_u128(7);
pub(crate) const ME: Uuid = Uuid::from_u128(1);
pub(crate) const HER: Uuid = Uuid::from_u128(2);

/// Of somebody else.
pub(crate) fn message(seq: i64) -> Message {
    Message {
        conversation_id: ROOM,
        seq,
        rev: seq,
        client_id: Uuid::from_u128(seq.unsigned_abs().into()),
        sender_id: HER,
        kind: "text".into(),
        text: Some(format!("{seq}")),
        reply_to: None,
        attachments: vec![],
        mentions: vec![],
        reactions: vec![],
        pinned: false,
        event: None,
        sent_at: None,
        created_at: "2026-01-01T00:00:00.000Z".into(),
        edited_at: None,
        deleted_at: None,
    }
}

pub(crate) fn own(seq: i64, client_id: Uuid) -> Message {
    Message { sender_id: ME, client_id, ..message(seq) }
}

pub(crate) fn conversation(id: Uuid, last_seq: i64) -> Conversation {
    Conversation {
        id,
        conversation_type: "group".into(),
        title: Some("Engines".into()),
        description: None,
        avatar_url: None,
        created_by: HER,
        created_at: "2026-01-01T00:00:00.000Z".into(),
        changed_at: "2026-01-01T00:00:00.000Z".into(),
        last_seq,
        member_count: 2,
        shares_history: false,
    }
}

pub(crate) fn entry(id: Uuid, last_seq: i64) -> ConversationEntry {
    let my = My {
        role: "member".into(),
        muted_until: None,
        archived: false,
        pinned: false,
        delivered: 0,
        read: 0,
    };
    let conversation = conversation(id, last_seq);
    ConversationEntry { conversation, last_message: None, unread_count: 0, my }
}

pub(crate) fn page(entries: Vec<ConversationEntry>) -> Answer {
    let next_cursor = "next".to_owned();
    Answer::Sync(Sync { conversations: entries, removed: vec![], next_cursor, has_more: false })
}

pub(crate) fn changes(after: i64, through: i64) -> Answer {
    let items = (after + 1..=through).map(message).collect();
    Answer::Changes(ChangeList { items, through, last_seq: through, has_more: false })
}

pub(crate) fn frame(said: Said, in_reply_to: Option<Uuid>) -> ServerFrame {
    ServerFrame { id: Uuid::nil(), in_reply_to, said }
}

pub(crate) fn new(after: i64, through: i64, messages: Vec<Message>) -> Said {
    Said::MessageNew(Messages { conversation_id: ROOM, after, through, messages })
}

pub(crate) fn push(after: i64, through: i64) -> Said {
    new(after, through, (after + 1..=through).map(message).collect())
}

/// A frame that the app says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spoken {
    pub socket: u64,
    pub id: Uuid,
    pub data: Value,
}

impl Spoken {
    pub(crate) fn client_ids(&self) -> Vec<Uuid> {
        let messages = self.data["messages"].as_array().unwrap();
        messages.iter().map(|m| m["client_id"].as_str().unwrap().parse().unwrap()).collect()
    }
}

/// An app, and what it has wanted so far and nobody has looked at.
pub(crate) struct App {
    pub state: State,
    wanted: Vec<Action>,
}

impl App {
    pub(crate) fn new() -> Self {
        Self { state: State::new(ME, Settings::default()), wanted: vec![] }
    }

    /// Online on socket 1 in one conversation, with nothing to do.
    pub(crate) fn idle() -> Self {
        let mut app = Self::new();
        app.connect(0);
        app.answer_sync(page(vec![entry(ROOM, 0)]), 0);
        assert!(app.state.is_caught_up());
        app
    }

    /// Socket 1 is open.
    pub(crate) fn connect(&mut self, now: u64) {
        self.state.connect(now);
        assert_eq!(self.opening(now), Some(1));
        self.state.opened(1, now);
    }

    fn look(&mut self, now: u64) {
        let due = self.state.due(now);
        self.wanted.extend(due);
        assert!(self.state.next_wake(now).is_none_or(|at| at > now), "a loop at {now}");
    }

    fn take<T>(&mut self, now: u64, pick: impl Fn(&Action) -> Option<T>) -> Option<T> {
        self.look(now);
        let at = self.wanted.iter().position(|action| pick(action).is_some())?;
        pick(&self.wanted.remove(at))
    }

    /// The socket that is to be opened.
    pub(crate) fn opening(&mut self, now: u64) -> Option<u64> {
        self.take(now, |action| match action {
            Action::OpenSocket { socket } => Some(*socket),
            _ => None,
        })
    }

    pub(crate) fn closing(&mut self, now: u64) -> Option<u64> {
        self.take(now, |action| match action {
            Action::CloseSocket { socket } => Some(*socket),
            _ => None,
        })
    }

    pub(crate) fn asking(&mut self, now: u64) -> Option<(u64, Ask)> {
        self.take(now, |action| match action {
            Action::Ask { request, ask } => Some((*request, ask.clone())),
            _ => None,
        })
    }

    /// The request for changes, and the cursor it has.
    pub(crate) fn fetching(&mut self, now: u64) -> Option<(u64, i64)> {
        self.take(now, |action| match action {
            Action::Ask { request, ask: Ask::Changes { after, .. } } => Some((*request, *after)),
            _ => None,
        })
    }

    pub(crate) fn answer_sync(&mut self, answer: Answer, now: u64) {
        let (request, ask) = self.asking(now).unwrap();
        assert!(matches!(ask, Ask::Sync { .. }), "{ask:?}");
        self.state.answered(request, Ok(answer), now);
    }

    /// The next frame of this type.
    pub(crate) fn saying(&mut self, frame_type: &str, now: u64) -> Option<Spoken> {
        self.take(now, |action| match action {
            Action::Say { socket, frame } if frame.frame_type == frame_type => {
                Some(Spoken { socket: *socket, id: frame.id, data: frame.data.clone() })
            }
            _ => None,
        })
    }

    pub(crate) fn sending(&mut self, now: u64) -> Option<Spoken> {
        self.saying("message.send", now)
    }

    pub(crate) fn hear(&mut self, said: Said, now: u64) {
        self.state.heard(1, frame(said, None), now);
    }

    pub(crate) fn accept(&mut self, spoken: &Spoken, now: u64) {
        let client_ids = spoken.client_ids();
        let accepted = protocol::frame::MessageAccepted { conversation_id: ROOM, client_ids };
        let said = Said::MessageAccepted(accepted);
        self.state.heard(spoken.socket, frame(said, Some(spoken.id)), now);
    }

    pub(crate) fn post(&mut self, number: u128, now: u64) -> Uuid {
        let id = Uuid::from_u128(number);
        self.state.post_text(ROOM, id, "hi", now);
        id
    }

    pub(crate) fn seqs(&self) -> Vec<i64> {
        self.state.transcript(ROOM).iter().map(|message| message.seq).collect()
    }

    pub(crate) fn shown(&mut self) -> Vec<i64> {
        let events = self.state.take_events().into_iter();
        let shown = events.filter_map(|event| match event {
            Event::Shown { seq, .. } => Some(seq),
            _ => None,
        });
        shown.collect()
    }
}
