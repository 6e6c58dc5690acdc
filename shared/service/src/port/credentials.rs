//! What proves who somebody is, beside the password at sign-in: mail tokens, sessions, one-time
//! codes; and the end of an account. Kept in Postgres.

use async_trait::async_trait;
use domain::{EmailAddress, SessionId, Timestamp, User, UserId};

use super::{Failure, GroupChanged};
use crate::{Device, Identity, SessionView};

/// What a token in a mail is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailPurpose {
    VerifyEmail,
    ResetPassword,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMailToken {
    /// 64 hex digits; the token itself is not kept.
    pub digest: String,
    pub user_id: UserId,
    pub purpose: MailPurpose,
    pub expires_at: Timestamp,
}

#[async_trait]
pub trait MailTokenStore: Send + Sync {
    /// Those of the same person and purpose that were given before are worth nothing from now on.
    async fn issue(&self, token: NewMailToken) -> Result<(), Failure>;
    /// Spends the token and marks the address as verified. `false` for an unknown, spent or
    /// expired one; of two at once, one wins.
    async fn verify_email(&self, digest: &str, now: Timestamp) -> Result<bool, Failure>;
    /// Whose password this token would reset; `None` for an unknown, spent or expired one. It is
    /// not spent.
    async fn reset_owner(&self, digest: &str, now: Timestamp) -> Result<Option<User>, Failure>;
    /// Spends the token, sets the password, marks the address as verified, revokes every session:
    /// all or nothing. Answers the sessions that ended, and those that ended lately: their sockets
    /// may be open still. `None` for an unknown, spent or expired token.
    async fn reset_password(
        &self,
        digest: &str,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure>;
}

#[async_trait]
pub trait PasswordStore: Send + Sync {
    /// `None` for an account that is gone.
    async fn hash_of(&self, user: UserId) -> Result<Option<String>, Failure>;
    /// Sets the password and revokes all other sessions; answers those, and those that ended
    /// lately, as `reset_password`. For who has just shown that they know the password with this
    /// hash: `None`, and nothing changes, when the account has another one by now, or has ended,
    /// or `keep` is revoked.
    async fn change(
        &self,
        keep: Identity,
        proven_hash: &str,
        new_hash: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure>;
    /// The same password with newer parameters; `false`, and nothing changes, when the hash is
    /// another one by now.
    async fn rehash(&self, user: UserId, old_hash: &str, new_hash: &str) -> Result<bool, Failure>;
}

#[async_trait]
pub trait SessionDirectory: Send + Sync {
    /// Those that are not revoked and can still be refreshed, last used first.
    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionView>, Failure>;
    /// One session, whether it has ended or not, until it is forgotten. `None` for that of an
    /// account that has ended.
    async fn find(&self, identity: Identity) -> Result<Option<SessionView>, Failure>;
    /// `false` when the user has no such session. One that is revoked already stays so.
    async fn revoke_one(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<bool, Failure>;
    /// Whether the user had a session with this device name from this address that is not
    /// forgotten yet.
    async fn knows_device(&self, user: UserId, device: &Device) -> Result<bool, Failure>;
    /// Answers those that ended, and of those that ended less than
    /// `limits::CONNECTION_RECORD_LIFETIME` ago the latest, `limits::SESSIONS_PER_USER` at most.
    /// `None`, and nothing happens, when `keep` has ended itself: of two who revoke each other at
    /// once, one stays.
    async fn revoke_others(
        &self,
        keep: Identity,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure>;
}

/// Whether a second factor is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwoFactor {
    Off,
    /// Enrolled, not confirmed by a code yet: not asked for.
    Pending {
        sealed_secret: String,
    },
    On {
        sealed_secret: String,
    },
}

#[async_trait]
pub trait TwoFactorStore: Send + Sync {
    async fn state(&self, user: UserId) -> Result<TwoFactor, Failure>;
    /// Replaces a pending one; `false` while one is on.
    async fn begin(&self, user: UserId, sealed_secret: &str) -> Result<bool, Failure>;
    /// Turns the pending one on, with these recovery codes, of which only digests are kept.
    /// `false` when none is pending any more, or one with another secret.
    async fn confirm(
        &self,
        user: UserId,
        sealed_secret: &str,
        step: u64,
        recovery_digests: &[String],
    ) -> Result<bool, Failure>;
    /// Idempotent. For who has just shown that they know the password with this hash: `false`,
    /// and nothing changes, when the account has another one by now, or has ended, or this session
    /// has.
    async fn disable(&self, by: Identity, proven_hash: &str) -> Result<bool, Failure>;
    /// A code counts once: `false` when this time step, or a later one, was used before.
    async fn spend_step(&self, user: UserId, step: u64) -> Result<bool, Failure>;
    /// `false` for an unknown or spent one.
    async fn spend_recovery_code(&self, user: UserId, digest: &str) -> Result<bool, Failure>;
}

/// What ended with an account, and what was removed with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// Sessions that ended with the account and are not forgotten yet, for their sockets.
    pub sessions: Vec<Identity>,
    /// Rows by table.
    pub rows: Vec<(&'static str, u64)>,
}

/// A part of everything that is kept about somebody, for themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportPart {
    /// What kind of thing this part lists: `profile`, `sessions`, `contacts`, `blocks`,
    /// `conversations`, `messages`, `receipts`, `reactions`, `invites`.
    pub section: &'static str,
    pub records: Vec<ExportRecord>,
    /// `None`: that was all.
    pub next_cursor: Option<String>,
}

/// One thing, as names and values in text.
pub type ExportRecord = Vec<(&'static str, Option<String>)>;

#[async_trait]
pub trait Export: Send + Sync {
    /// Sections one after the other, each part small enough for one answer.
    async fn part(
        &self,
        user: UserId,
        cursor: Option<&str>,
    ) -> Result<ExportPart, super::PageError>;
}

/// Some of the conversations of an account that has ended, as they are without it.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftConversations {
    /// Those that were left now. None when another end of the same account was faster.
    pub changes: Vec<GroupChanged>,
    /// They are in no conversation any more.
    pub is_last: bool,
}

/// The end of an account, in the order of its steps. Each can be done twice.
#[async_trait]
pub trait Erasure: Send + Sync {
    /// A quick step: the account becomes "deleted user". Names, address, password, sessions,
    /// tokens, factors, contacts and blocks go, so nobody is signed in to it any more, and from
    /// then on nothing new is written for it. Memberships are left as they are. Of the sessions
    /// that were active their bare ids stay, revoked, and are answered each time until they are
    /// forgotten: their sockets must be ended whatever fails in between.
    async fn end_account(&self, user: UserId, now: Timestamp) -> Result<Erased, Failure>;
    /// Leaves conversations of an account that has ended, at most so many, each on its own and
    /// for good whatever becomes of the next. Where the last owner goes, the admin who joined
    /// first becomes one, else the member who did. Messages stay. What was left before something
    /// failed is answered, so that it can be told; the failure is then the answer of the next
    /// call, if it is still one.
    async fn leave_some(
        &self,
        user: UserId,
        most: usize,
        now: Timestamp,
    ) -> Result<LeftConversations, Failure>;
    /// Preferences of memberships that have ended go, and notes of when something was delivered
    /// and read. Answers how many, by table.
    async fn empty_memberships(&self, user: UserId) -> Result<Vec<(&'static str, u64)>, Failure>;
    /// The sockets of these sessions of an account that has ended are ended, so nobody needs the
    /// ids any more. Nothing happens to the sessions of others.
    async fn forget_sessions(&self, ended: &[Identity]) -> Result<(), Failure>;
    /// Rows that still hold something personal of them, by table; nothing when all is gone. The
    /// names are given since the account does not have them any more.
    async fn residue(
        &self,
        user: UserId,
        email: &EmailAddress,
    ) -> Result<Vec<(&'static str, u64)>, Failure>;
}

/// Into `accounts-to-erase`.
#[async_trait]
pub trait ErasureQueue: Send + Sync {
    async fn enqueue(&self, user: UserId, email: &EmailAddress) -> Result<(), Failure>;
}

/// What DynamoDB holds of a person.
#[async_trait]
pub trait LiveErasure: Send + Sync {
    /// Sockets, presence, watches; idempotent. Membership copies end with the memberships.
    /// What has to stay for a while, so that no late socket comes in, says nothing of the person.
    async fn erase(&self, user: UserId, now: Timestamp) -> Result<(), Failure>;
    /// Items that are still there, by kind.
    async fn residue(&self, user: UserId) -> Result<Vec<(&'static str, u64)>, Failure>;
}
