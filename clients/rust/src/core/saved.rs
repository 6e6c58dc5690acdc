//! What outlives the process: the app stores it, and begins with it the next time.

use protocol::value::{Conversation, Message, MessageDraft};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::room::Room;
use super::state::{Settings, State};

/// Everything of a [`State`] that cannot be asked for again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    pub sync_cursor: Option<String>,
    pub conversations: Vec<SavedConversation>,
}

/// One conversation as it was shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedConversation {
    pub id: Uuid,
    pub cursor: i64,
    pub is_removed: bool,
    pub description: Option<Conversation>,
    pub messages: Vec<Message>,
    pub read: i64,
    /// Delivered and read, as the server is known to have them.
    pub confirmed: (i64, i64),
    /// Own messages without an end, in the order of posting, with their client ids.
    pub pending: Vec<(Uuid, MessageDraft)>,
}

impl State {
    /// As things stand.
    pub fn save(&self) -> Saved {
        let conversations = self.rooms.values().map(Room::save).collect();
        Saved { sync_cursor: self.sync.cursor().map(str::to_owned), conversations }
    }

    /// As things stood. What was accepted or in flight then is sent again, with its client id.
    pub fn restore(me: Uuid, settings: Settings, saved: Saved) -> Self {
        let mut state = Self::new(me, settings);
        state.sync.restore(saved.sync_cursor);
        let kept = state.settings.messages_kept;
        for conversation in saved.conversations {
            let id = conversation.id;
            if let Some((room, _)) = state.room(id, 0) {
                room.restore(conversation, me, kept);
            }
        }
        state
    }
}

impl Room {
    fn save(&self) -> SavedConversation {
        let pending = self.outbox.pending().into_iter().map(|post| (post.client_id, post.draft));
        SavedConversation {
            id: self.id(),
            cursor: self.cursor(),
            is_removed: self.is_removed(),
            description: self.conversation().cloned(),
            messages: self.messages().to_vec(),
            read: self.marks.read(),
            confirmed: self.marks.known_to_server(),
            pending: pending.collect(),
        }
    }

    fn restore(&mut self, saved: SavedConversation, me: Uuid, messages_kept: usize) {
        for message in saved.messages {
            if message.sender_id == me && message.kind != "system" {
                self.own_seq = self.own_seq.max(message.seq);
            }
            self.transcript.put(message, messages_kept);
        }
        self.cursor = saved.cursor;
        self.is_removed = saved.is_removed;
        self.description.restore(saved.description);
        self.marks.restore(saved.cursor, saved.read, saved.confirmed);
        for (client_id, draft) in saved.pending {
            // It fitted before.
            let _ = self.outbox.post(client_id, draft);
        }
    }
}
