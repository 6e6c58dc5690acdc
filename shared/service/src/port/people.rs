//! People who know each other, and people who do not want to.

use async_trait::async_trait;
use domain::{ContactRequestId, Timestamp, User, UserId};

use super::{Failure, PageError};
use crate::{ContactRequest, Page};

/// What became of a wish to be somebody's contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactAsked {
    /// It waits for the other side now.
    Asked(ContactRequest),
    /// It was asked before, and still waits for the other side.
    Waiting(ContactRequest),
    /// The other side had asked already: they are contacts now.
    Contacts(ContactRequest),
}

#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    #[error("there is no such user")]
    UnknownUser,
    /// A block stands between them, either way.
    #[error("a block stands between them")]
    Blocked,
    #[error("they are contacts already")]
    AlreadyContacts,
    #[error("one of them has as many contacts, or requests that wait, as one may have")]
    Full,
    #[error(transparent)]
    Failure(#[from] Failure),
}

#[async_trait]
pub trait ContactStore: Send + Sync {
    /// Safe when both sides ask at once: they are contacts then. `Full` also for who has sent, or
    /// has been sent, `limits::CONTACT_REQUESTS_WAITING` that wait.
    async fn ask(
        &self,
        id: ContactRequestId,
        from: UserId,
        to: UserId,
        now: Timestamp,
    ) -> Result<ContactAsked, ContactError>;
    /// Those that wait, to the user and from them, newest first; the second is the next cursor.
    async fn requests(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<ContactRequest>, Option<String>), PageError>;
    /// By the one who was asked. `None` when there is no such request that waits for them.
    async fn accept(
        &self,
        user: UserId,
        id: ContactRequestId,
        now: Timestamp,
    ) -> Result<Option<ContactRequest>, ContactError>;
    /// By either side. `None` when there is no such request of theirs that waits.
    async fn decline(
        &self,
        user: UserId,
        id: ContactRequestId,
    ) -> Result<Option<ContactRequest>, Failure>;
    /// By user name; the second is the next cursor.
    async fn contacts(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError>;
    /// Of both sides. `false` when they were no contacts.
    async fn remove(&self, user: UserId, other: UserId) -> Result<bool, Failure>;
}

#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    #[error("there is no such user")]
    UnknownUser,
    #[error("as many people are blocked as one may block")]
    Full,
    #[error(transparent)]
    Failure(#[from] Failure),
}

#[async_trait]
pub trait BlockStore: Send + Sync {
    /// Idempotent; also ends their being contacts, and requests between them.
    async fn block(&self, user: UserId, other: UserId, now: Timestamp) -> Result<(), BlockError>;
    /// Idempotent.
    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Failure>;
    /// By user name; the second is the next cursor.
    async fn blocked(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError>;
    /// Everybody whose user name or display name begins so, without case, and who has no block
    /// with the user; by user name. The second is the next cursor.
    async fn search(
        &self,
        user: UserId,
        prefix: &str,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError>;
}
