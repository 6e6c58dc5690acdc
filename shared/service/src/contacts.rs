//! People who know each other, people who do not want to, and looking for them.

use std::sync::Arc;

use domain::{ContactRequestId, Invalid, Seq, TokenBucket, User, UserId, limits};

use crate::delivery::{Announcement, enqueue};
use crate::pace::throttle;
use crate::port::{
    BlockError, BlockStore, Clock, ContactAsked, ContactError, ContactStore, Entropy, FanOutQueue,
    RateLimiter,
};
use crate::{
    Caller, ContactRequest, ContactStatus, Error, Event, Listed, Page, PresencePartings, Recipient,
};

/// Who one's contacts are, and who waits for an answer.
#[derive(Clone)]
pub struct ContactLists {
    pub contacts: Arc<dyn ContactStore>,
}

impl ContactLists {
    pub async fn requests(
        &self,
        caller: Caller,
        page: Page,
    ) -> Result<Listed<ContactRequest>, Error> {
        let (items, next_cursor) = self.contacts.requests(caller.user_id(), page).await?;
        Ok(Listed { items, next_cursor })
    }

    pub async fn list(&self, caller: Caller, page: Page) -> Result<Listed<User>, Error> {
        let (items, next_cursor) = self.contacts.contacts(caller.user_id(), page).await?;
        Ok(Listed { items, next_cursor })
    }
}

/// Asking somebody to be a contact.
#[derive(Clone)]
pub struct Introductions {
    pub contacts: Contacts,
    pub limiter: Arc<dyn RateLimiter>,
    pub entropy: Arc<dyn Entropy>,
}

const REQUESTS: TokenBucket = TokenBucket::per_hour(limits::CONTACT_REQUESTS_PER_HOUR);

impl Introductions {
    /// 409 `already_contacts` or `too_many_contacts`, 403 `not_allowed` with a block between them.
    /// Asking somebody who has asked oneself accepts. Asking again tells nobody.
    pub async fn ask(
        &self,
        caller: Caller,
        other: UserId,
    ) -> Result<(ContactRequest, ContactStatus), Error> {
        let Contacts { contacts, clock, .. } = &self.contacts;
        let from = caller.user_id();
        if from == other {
            let invalid = Invalid::new("invalid_user", "must be somebody else");
            return Err(Error::invalid("user_id", invalid));
        }
        let scope = format!("contact/{from}");
        throttle(&*self.limiter, &**clock, &scope, REQUESTS).await?;
        let id = ContactRequestId(self.entropy.uuid_v7());
        let (request, status) = match contacts.ask(id, from, other, clock.now()).await? {
            ContactAsked::Waiting(request) => return Ok((request, ContactStatus::Requested)),
            ContactAsked::Asked(request) => (request, ContactStatus::Requested),
            ContactAsked::Contacts(request) => (request, ContactStatus::Contacts),
        };
        self.contacts.tell(from, other, Some(request), status).await;
        Ok((request, status))
    }
}

/// Answering who asked, and parting; the other side hears of it at once.
#[derive(Clone)]
pub struct Contacts {
    pub contacts: Arc<dyn ContactStore>,
    pub fan_out: Arc<dyn FanOutQueue>,
    pub clock: Arc<dyn Clock>,
}

impl Contacts {
    pub async fn accept(
        &self,
        caller: Caller,
        id: ContactRequestId,
    ) -> Result<ContactRequest, Error> {
        let accepted = self.contacts.accept(caller.user_id(), id, self.clock.now()).await?;
        let request = accepted.ok_or_else(request_not_found)?;
        self.tell(request.to, request.from, Some(request), ContactStatus::Contacts).await;
        Ok(request)
    }

    /// By either side: who asked takes it back.
    pub async fn decline(&self, caller: Caller, id: ContactRequestId) -> Result<(), Error> {
        let declined = self.contacts.decline(caller.user_id(), id).await?;
        let request = declined.ok_or_else(request_not_found)?;
        self.tell(request.to, request.from, Some(request), ContactStatus::Declined).await;
        Ok(())
    }

    /// Idempotent.
    pub async fn remove(&self, caller: Caller, other: UserId) -> Result<(), Error> {
        if self.contacts.remove(caller.user_id(), other).await? {
            self.tell(caller.user_id(), other, None, ContactStatus::Removed).await;
        }
        Ok(())
    }

    /// Every device of both. It is committed; who is not told sees it in the list.
    async fn tell(
        &self,
        one: UserId,
        other: UserId,
        request: Option<ContactRequest>,
        status: ContactStatus,
    ) {
        let to = |receiver, user_id| {
            let recipient = Recipient { user_id: receiver, joined_seq: Seq::ZERO };
            Announcement::new(Event::ContactChanged { request, user_id, status }, vec![recipient])
        };
        let both = vec![to(one, other), to(other, one)];
        if let Err(failure) = enqueue(&*self.fan_out, both).await {
            tracing::warn!(error = %failure, "contacts changed, but not told");
        }
    }
}

fn request_not_found() -> Error {
    let detail = "there is no such request that waits for you";
    Error::NotFound { code: "contact_request_not_found", detail }
}

impl From<ContactError> for Error {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::UnknownUser => Self::user_not_found(),
            ContactError::Blocked => {
                let detail = "one of the two of you has blocked the other";
                Self::Forbidden { code: "not_allowed", detail }
            }
            ContactError::AlreadyContacts => {
                let detail = "you are contacts already";
                Self::Conflict { code: "already_contacts", detail }
            }
            ContactError::Full => {
                let detail = "one of you has as many contacts or requests as one may have";
                Self::Conflict { code: "too_many_contacts", detail }
            }
            ContactError::Failure(failure) => failure.into(),
        }
    }
}

/// Begins to hear no more of somebody.
#[derive(Clone)]
pub struct Blocking {
    pub blocks: Arc<dyn BlockStore>,
    pub partings: PresencePartings,
    pub clock: Arc<dyn Clock>,
}

impl Blocking {
    /// Idempotent. The other side is not told; who watches the other sees them go offline, as
    /// anybody may at any time. Once more ends once more what was begun to be watched meanwhile.
    pub async fn block(&self, caller: Caller, other: UserId) -> Result<(), Error> {
        if caller.user_id() == other {
            let invalid = Invalid::new("invalid_user", "must be somebody else");
            return Err(Error::invalid("user_id", invalid));
        }
        self.blocks.block(caller.user_id(), other, self.clock.now()).await?;
        self.partings.part(caller.user_id(), other).await;
        Ok(())
    }
}

impl From<BlockError> for Error {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::UnknownUser => Self::user_not_found(),
            BlockError::Full => {
                let detail = "as many people are blocked as one may block";
                Self::Conflict { code: "too_many_blocks", detail }
            }
            BlockError::Failure(failure) => failure.into(),
        }
    }
}

/// Whom one does not want to hear of.
#[derive(Clone)]
pub struct Blocks {
    pub blocks: Arc<dyn BlockStore>,
}

impl Blocks {
    /// Idempotent.
    pub async fn unblock(&self, caller: Caller, other: UserId) -> Result<(), Error> {
        Ok(self.blocks.unblock(caller.user_id(), other).await?)
    }

    pub async fn list(&self, caller: Caller, page: Page) -> Result<Listed<User>, Error> {
        let (items, next_cursor) = self.blocks.blocked(caller.user_id(), page).await?;
        Ok(Listed { items, next_cursor })
    }
}

/// Looking for people.
#[derive(Clone)]
pub struct PeopleSearch {
    pub people: Arc<dyn BlockStore>,
    pub limiter: Arc<dyn RateLimiter>,
    pub clock: Arc<dyn Clock>,
}

const SEARCHES: TokenBucket = TokenBucket::per_minute(limits::SEARCHES_PER_MINUTE);

impl PeopleSearch {
    /// By the beginning of a user name or display name, at least two characters of it. 429 for who
    /// looks for more people than somebody types names.
    pub async fn search(
        &self,
        caller: Caller,
        query: &str,
        page: Page,
    ) -> Result<Listed<User>, Error> {
        // Letter by letter, as Postgres does: the end of a beginning is not the end of a word.
        let prefix: String = query.trim().chars().flat_map(char::to_lowercase).collect();
        let length = prefix.chars().count();
        if !limits::SEARCH_CHARACTERS.contains(&length) || prefix.contains('\0') {
            let invalid = Invalid::new("invalid_query", "must be 2 to 64 characters");
            return Err(Error::invalid("query", invalid));
        }
        let scope = format!("search/{}", caller.user_id());
        throttle(&*self.limiter, &*self.clock, &scope, SEARCHES).await?;
        let (items, next_cursor) = self.people.search(caller.user_id(), &prefix, page).await?;
        Ok(Listed { items, next_cursor })
    }
}
