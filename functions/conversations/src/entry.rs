//! A conversation in one's own list, as it is said.

use protocol::body::{self, My};
use protocol::value::{Conversation, Message};
use service::ConversationEntry;

pub(crate) fn said(entry: &ConversationEntry) -> body::ConversationEntry {
    body::ConversationEntry {
        conversation: Conversation::from(&entry.conversation),
        last_message: entry.last_message.as_ref().map(Message::from),
        unread_count: entry.unread_count,
        my: My::from(&entry.my),
    }
}
