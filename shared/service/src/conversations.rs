//! Conversations: opening them and looking at them.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{
    ClientId, Conversation, ConversationId, Invalid, Member, Title, TokenBucket, UserId,
    direct_conversation_id, limits,
};
use tokio::time::Instant;

use crate::pace::take_openings;
use crate::port::{
    Clock, ConversationStore, Created, Entropy, Failure, MembershipCopy, NewDirect, NewGroup,
    OpenError, PageError, RateLimiter,
};
use crate::{Announcement, Caller, ConversationEntry, Error, Event, Page, Recipient, Telling};

/// What a client gives to open a group.
#[derive(Debug, Clone)]
pub struct GroupDraft {
    pub client_id: ClientId,
    pub title: Title,
    pub member_ids: Vec<UserId>,
}

/// A conversation that was opened, now or before.
#[derive(Debug, Clone)]
pub struct Opened {
    pub conversation: Conversation,
    pub is_new: bool,
}

/// Some of a list and where the next part begins.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

/// Opens conversations and tells their members.
#[derive(Clone)]
pub struct Openings {
    pub conversations: Arc<dyn ConversationStore>,
    pub telling: Telling,
    pub limiter: Arc<dyn RateLimiter>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    /// Of one user, for what they open.
    pub bucket: TokenBucket,
}

impl Openings {
    /// The one conversation of the two; 403 `not_allowed` when a block stands between them.
    pub async fn open_direct(&self, caller: Caller, other: UserId) -> Result<Opened, Error> {
        let begun = Instant::now();
        if other == caller.user_id() {
            let invalid = Invalid::new("invalid_member", "must be somebody else");
            return Err(Error::invalid("member_ids[0]", invalid));
        }
        self.throttle(caller, 1).await?;
        let direct = NewDirect {
            id: direct_conversation_id(caller.user_id(), other),
            creator: caller.user_id(),
            other,
            created_at: self.clock.now(),
        };
        let created = self.conversations.open_direct(direct).await;
        self.tell(caller, begun, created.map_err(|error| refused(error, &[other]))?).await
    }

    /// A repeated `client_id` of the same creator answers with the group it made before; 404 for
    /// who has left that.
    pub async fn open_group(&self, caller: Caller, draft: GroupDraft) -> Result<Opened, Error> {
        let begun = Instant::now();
        let named = &draft.member_ids;
        let others: BTreeSet<_> =
            named.iter().copied().filter(|id| *id != caller.user_id()).collect();
        if others.len() + 1 > limits::MEMBERS_PER_GROUP {
            let invalid = Invalid::new("too_many_members", "a group has at most 1,000 members");
            return Err(Error::invalid("member_ids", invalid));
        }
        self.throttle(caller, others.len()).await?;
        let group = NewGroup {
            id: ConversationId(self.entropy.uuid_v7()),
            client_id: draft.client_id,
            creator: caller.user_id(),
            title: draft.title,
            member_ids: others.into_iter().collect(),
            created_at: self.clock.now(),
        };
        let created = self.conversations.open_group(group).await;
        self.tell(caller, begun, created.map_err(|error| refused(error, named))?).await
    }

    /// Who names a crowd takes more, but never more than there can be.
    async fn throttle(&self, caller: Caller, named: usize) -> Result<(), Error> {
        let cost = 1 + u32::try_from(named / limits::NAMED_PER_OPENING).unwrap_or(u32::MAX - 1);
        let (user, cost) = (caller.user_id(), cost.min(self.bucket.burst));
        take_openings(&*self.limiter, (user, self.bucket), cost, self.clock.now()).await
    }

    /// A repeat does what the first try did not get done. Who opens it can say something in it
    /// afterwards, or has to try again.
    async fn tell(
        &self,
        caller: Caller,
        begun: Instant,
        created: Created,
    ) -> Result<Opened, Error> {
        let Created { conversation, is_new, member_ids, first_message } = created;
        let copy = |user_id: &UserId| MembershipCopy {
            conversation_id: conversation.id,
            user_id: *user_id,
            is_active: true,
            version: conversation.last_seq,
        };
        let mut copies: Vec<_> = if is_new {
            member_ids.iter().map(copy).collect()
        } else {
            self.telling.upkeep.owed_copies(conversation.id).await?
        };
        copies.sort_by_key(|copy| copy.user_id != caller.user_id());
        let all = |copy: &MembershipCopy| Recipient::from_the_start(copy.user_id);
        let recipients: Vec<_> = copies.iter().map(all).collect();
        let changed = Event::ConversationChanged { conversation: conversation.clone() };
        let first = first_message.and_then(|message| Event::of_new(conversation.id, vec![message]));
        let events = std::iter::once(changed).chain(first);
        let announcements = events.map(|event| Announcement::new(event, recipients.clone()));
        let outside = self.telling.follow(begun, &copies, announcements.collect()).await;
        if outside.contains(&caller.user_id()) {
            let why = "who opened it may not send yet";
            return Err(Failure::unavailable("membership copies", why).into());
        }
        Ok(Opened { conversation, is_new })
    }
}

fn refused(error: OpenError, named: &[UserId]) -> Error {
    match error {
        OpenError::UnknownUsers(unknown) => {
            let field = |id: &UserId| {
                let index = named.iter().position(|other| other == id).unwrap_or(0);
                let invalid = Invalid::new("user_not_found", "there is no such user");
                crate::FieldError::new(format!("member_ids[{index}]"), invalid)
            };
            Error::Invalid(unknown.iter().map(field).collect())
        }
        OpenError::Blocked => {
            let detail = "one of the two of you has blocked the other";
            Error::Forbidden { code: "not_allowed", detail }
        }
        OpenError::NotAMember => Error::conversation_not_found(),
        OpenError::Failure(failure) => failure.into(),
    }
}

/// Looks at conversations.
#[derive(Clone)]
pub struct Conversations {
    pub conversations: Arc<dyn ConversationStore>,
}

impl Conversations {
    pub async fn list(
        &self,
        caller: Caller,
        page: Page,
    ) -> Result<Listed<ConversationEntry>, Error> {
        let page = Page { limit: page.limit.min(limits::CONVERSATIONS_PER_ANSWER), ..page };
        let (items, next_cursor) = self.conversations.list(caller.user_id(), page).await?;
        Ok(Listed { items, next_cursor })
    }

    pub async fn get(&self, caller: Caller, id: ConversationId) -> Result<Conversation, Error> {
        let found = self.conversations.get(caller.user_id(), id).await?;
        found.ok_or_else(Error::conversation_not_found)
    }

    pub async fn members(
        &self,
        caller: Caller,
        id: ConversationId,
        page: Page,
    ) -> Result<Listed<Member>, Error> {
        let found = self.conversations.members(caller.user_id(), id, page).await?;
        let (items, next_cursor) = found.ok_or_else(Error::conversation_not_found)?;
        Ok(Listed { items, next_cursor })
    }
}

impl From<PageError> for Error {
    fn from(error: PageError) -> Self {
        match error {
            PageError::InvalidCursor => {
                let detail = "must be the next_cursor of an earlier answer";
                Self::invalid("cursor", Invalid::new("invalid_cursor", detail))
            }
            PageError::Failure(failure) => failure.into(),
        }
    }
}
