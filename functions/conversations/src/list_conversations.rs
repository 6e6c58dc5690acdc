//! `GET /v1/conversations` — one's own conversations, most recently active first.

use std::process::ExitCode;

use protocol::body::{self, List, My};
use protocol::value::{Conversation, Message};
use service::{ConversationEntry, Conversations};
use transport::http::{self, Request, Response};
use transport::{Rejection, connect};

pub async fn list_conversations(
    conversations: Conversations,
    request: Request,
) -> Result<Response, Rejection> {
    let listed = conversations.list(request.caller()?, request.page()?).await?;
    let items = listed.items.iter().map(entry).collect();
    Ok(http::ok(&List { items, next_cursor: listed.next_cursor }))
}

fn entry(entry: &ConversationEntry) -> body::ConversationEntry {
    body::ConversationEntry {
        conversation: Conversation::from(&entry.conversation),
        last_message: entry.last_message.as_ref().map(Message::from),
        unread_count: entry.unread_count,
        my: My::from(&entry.my),
    }
}

pub fn main() -> ExitCode {
    http::serve(connect::conversations, list_conversations)
}
