//! Changing what is in history: edits, deletions, reactions, pins.

use std::sync::Arc;

use domain::{
    Change, ChangeRefusal, ConversationId, Emoji, Invalid, Message, Seq, TokenBucket, UserId,
};

use crate::delivery::{Announcement, enqueue};
use crate::pace::take_messages;
use crate::port::{
    ChangeError, ChangeRequest, Changed, Clock, FanOutQueue, MessageChanges, RateLimiter,
};
use crate::{Caller, Error, Event, Listed, Page};

/// Changes of messages, each committed in Postgres before anybody is told.
#[derive(Clone)]
pub struct Revisions {
    pub changes: Arc<dyn MessageChanges>,
    pub fan_out: Arc<dyn FanOutQueue>,
    pub limiter: Arc<dyn RateLimiter>,
    pub clock: Arc<dyn Clock>,
    /// The one that messages are taken from: a change is told to as many.
    pub bucket: TokenBucket,
}

impl Revisions {
    /// The message as it is afterwards. 404 for a message that the caller may not see, 403
    /// `not_allowed`, 409 `message_deleted` or `too_many_reactions`, 422 `invalid_mention`.
    pub async fn change(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        seq: Seq,
        change: Change,
    ) -> Result<Message, Error> {
        let (user_id, at) = (caller.user_id(), self.clock.now());
        take_messages(&*self.limiter, (user_id, self.bucket), 1, at).await?;
        let request = ChangeRequest { conversation_id, seq, user_id, change, at };
        let Changed { message, recipients } = self.changes.change(request).await?;
        if let Some(recipients) = recipients {
            let announcement = Announcement::new(Event::of_change(message.clone()), recipients);
            // It is committed, so the answer is yes; who is not told now is nudged soon.
            if let Err(failure) = enqueue(&*self.fan_out, vec![announcement]).await {
                tracing::warn!(error = %failure, %conversation_id, %seq, "changed, but not told");
            }
        }
        Ok(message)
    }
}

/// Who reacted.
#[derive(Clone)]
pub struct Reactors {
    pub changes: Arc<dyn MessageChanges>,
}

impl Reactors {
    /// Everybody who reacted with this emoji.
    pub async fn list(
        &self,
        caller: Caller,
        conversation_id: ConversationId,
        seq: Seq,
        emoji: &Emoji,
        page: Page,
    ) -> Result<Listed<UserId>, Error> {
        let user = caller.user_id();
        let found = self.changes.reactors(user, conversation_id, seq, emoji, page).await?;
        let (items, next_cursor) = found.ok_or_else(Error::message_not_found)?;
        Ok(Listed { items, next_cursor })
    }
}

impl From<ChangeError> for Error {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotAMember => Self::conversation_not_found(),
            ChangeError::NoSuchMessage => Self::message_not_found(),
            ChangeError::InvalidMention => {
                let detail = "names somebody who neither is nor was a member";
                Self::invalid("mentions", Invalid::new("invalid_mention", detail))
            }
            ChangeError::Refused(ChangeRefusal::NotAllowed) => {
                let detail = "you may not do this to this message";
                Self::Forbidden { code: "not_allowed", detail }
            }
            ChangeError::Refused(ChangeRefusal::MessageDeleted) => {
                let detail = "the message was deleted and does not change any more";
                Self::Conflict { code: "message_deleted", detail }
            }
            ChangeError::Refused(ChangeRefusal::TooManyReactions) => {
                let detail = "the message has as many different emoji as it may";
                Self::Conflict { code: "too_many_reactions", detail }
            }
            ChangeError::Failure(failure) => failure.into(),
        }
    }
}
