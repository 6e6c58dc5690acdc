//! What a device fetches after it was away, and what became of one's own message.

use std::sync::Arc;

use domain::{ConversationId, Invalid, Seq, limits};

use crate::port::{SyncError, SyncFeed, TraceStore};
use crate::{Caller, Error, SyncPage, Trace};

/// `GET /sync`
#[derive(Clone)]
pub struct CatchUp {
    pub feed: Arc<dyn SyncFeed>,
}

impl CatchUp {
    /// What changed since the cursor; 410 `cursor_expired` for one that is too old.
    pub async fn sync(
        &self,
        caller: Caller,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<SyncPage, Error> {
        let limit = limit.min(limits::CONVERSATIONS_PER_ANSWER);
        Ok(self.feed.changed_since(caller.user_id(), cursor, limit).await?)
    }
}

impl From<SyncError> for Error {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Expired => {
                let detail = "the cursor is too old: begin again without one";
                Self::Gone { code: "cursor_expired", detail }
            }
            SyncError::Page(error) => error.into(),
        }
    }
}

/// `GET …/messages/{seq}/trace`
#[derive(Clone)]
pub struct Traces {
    pub store: Arc<dyn TraceStore>,
}

impl Traces {
    /// For the sender; 404 for everybody else, and for what is no message.
    pub async fn of_message(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        seq: Seq,
    ) -> Result<Trace, Error> {
        if seq < Seq(1) {
            return Err(Error::invalid("seq", Invalid::new("invalid_seq", "must be 1 or more")));
        }
        let found = self.store.trace(caller.user_id(), conversation_id, seq).await?;
        found.ok_or_else(Error::message_not_found)
    }
}
