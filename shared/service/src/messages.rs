//! Accepting messages, and reading the history.

use std::sync::Arc;

use domain::{ConnectionId, ConversationId, Draft, Invalid, Seq, TokenBucket, TraceId, UserId};

use crate::cut;
use crate::pace::take_messages;
use crate::port::{
    ChangesPage, Clock, Entropy, MessageStore, PersistQueue, RateLimiter, SendGate, Standing,
    Submission,
};
use crate::{Caller, Error, FieldError, Hangup, MessagePage, Window};

/// The way into the lane, the same for the socket and for HTTP. No database is touched here.
#[derive(Clone)]
pub struct Messages {
    pub gate: Arc<dyn SendGate>,
    pub limiter: Arc<dyn RateLimiter>,
    pub queue: Arc<dyn PersistQueue>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    pub bucket: TokenBucket,
}

impl Messages {
    /// Over HTTP. `Ok` means durable in the queue; 404 for who is not a member.
    pub async fn send(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        draft: Draft,
    ) -> Result<(), Error> {
        refuse_attachments([("attachment_ids".to_owned(), &draft)])?;
        if !self.gate.is_member(caller.user_id(), conversation_id).await? {
            return Err(Error::conversation_not_found());
        }
        self.accept(caller.user_id(), conversation_id, vec![draft]).await
    }

    async fn accept(
        &self,
        sender_id: UserId,
        conversation_id: ConversationId,
        drafts: Vec<Draft>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let count = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
        take_messages(&*self.limiter, (sender_id, self.bucket), count, now).await?;
        let trace_id = TraceId(self.entropy.uuid_v7());
        let submit =
            |draft| Submission { conversation_id, sender_id, draft, accepted_at: now, trace_id };
        let submissions: Vec<_> = drafts.into_iter().map(submit).collect();
        self.queue.enqueue(&submissions).await?;
        tracing::info!(%conversation_id, %sender_id, count, %trace_id, "accepted");
        Ok(())
    }
}

/// The same from a socket, where the connection says who sends.
#[derive(Clone)]
pub struct SocketMessages {
    pub messages: Messages,
    pub hangup: Hangup,
}

impl SocketMessages {
    /// 401 for a connection that is not on record; it is closed.
    pub async fn send(
        &self,
        connection_id: &ConnectionId,
        conversation_id: ConversationId,
        drafts: Vec<Draft>,
    ) -> Result<(), Error> {
        let name = |index| format!("messages[{index}].attachment_ids");
        refuse_attachments(drafts.iter().enumerate().map(|(index, one)| (name(index), one)))?;
        let gate = &self.messages.gate;
        let Standing { connection, is_member } =
            gate.of_connection(connection_id, conversation_id).await?;
        let Some(connection) = connection else {
            return Err(self.hangup.turn_away(connection_id).await);
        };
        if !is_member {
            return Err(Error::conversation_not_found());
        }
        self.messages.accept(connection.identity.user_id, conversation_id, drafts).await
    }
}

/// No attachment can be ready yet, so every id is an unknown one. Each draft comes with the path
/// of its `attachment_ids`.
fn refuse_attachments<'a>(
    drafts: impl IntoIterator<Item = (String, &'a Draft)>,
) -> Result<(), Error> {
    let with_some = drafts.into_iter().filter(|(_, draft)| !draft.attachment_ids.is_empty());
    let refuse = |(name, _)| {
        FieldError::new(name, Invalid::new("attachment_not_found", "there is no such attachment"))
    };
    let refused: Vec<_> = with_some.map(refuse).collect();
    if refused.is_empty() { Ok(()) } else { Err(Error::Invalid(refused)) }
}

/// The history as its members may read it. A part may have fewer messages than asked for, and says
/// then that there are more.
#[derive(Clone)]
pub struct History {
    pub store: Arc<dyn MessageStore>,
}

impl History {
    pub async fn page(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        window: Window,
        limit: u32,
    ) -> Result<MessagePage, Error> {
        let page = self.store.page(caller.user_id(), conversation_id, window, limit).await?;
        let page = page.ok_or_else(Error::conversation_not_found)?;
        Ok(cut::page(page, window))
    }

    pub async fn changes(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        after: Seq,
        limit: u32,
    ) -> Result<ChangesPage, Error> {
        let page = self.store.changes(caller.user_id(), conversation_id, after, limit).await?;
        page.map(cut::changes).ok_or_else(Error::conversation_not_found)
    }
}
