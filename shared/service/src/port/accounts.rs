//! Accounts and sessions, kept in Postgres.

use async_trait::async_trait;
use domain::{
    AvatarUrl, Bio, DisplayName, EmailAddress, SessionId, Settings, Timestamp, User, UserId,
    Username,
};

use super::Failure;
use crate::Identity;

#[derive(Debug, Clone)]
pub struct NewUser {
    pub id: UserId,
    pub username: Username,
    pub email: EmailAddress,
    pub display_name: DisplayName,
    /// A PHC string.
    pub password_hash: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub device_name: Option<String>,
    /// The client's IP address as the gateway saw it.
    pub address: Option<String>,
    pub created_at: Timestamp,
    pub refresh: NewRefreshToken,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefreshToken {
    /// 64 hex digits.
    pub digest: String,
    pub expires_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error("the user name is taken")]
    UsernameTaken,
    #[error("the e-mail address is taken")]
    EmailTaken,
    #[error(transparent)]
    Failure(#[from] Failure),
}

#[derive(Debug, Clone)]
pub struct Credentials {
    pub user: User,
    /// A PHC string.
    pub password_hash: String,
}

/// `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    pub display_name: Option<DisplayName>,
    pub bio: Option<Bio>,
    pub settings: SettingsChange,
    /// `Some(None)` takes the picture away.
    pub avatar_url: Option<Option<AvatarUrl>>,
}

/// `None` leaves a setting as it is: two devices that change one each do not undo each other.
#[derive(Debug, Clone, Copy, Default)]
pub struct SettingsChange {
    pub share_receipts: Option<bool>,
    pub share_last_seen: Option<bool>,
}

impl SettingsChange {
    /// The settings after the change.
    pub fn of(self, settings: Settings) -> Settings {
        Settings {
            share_receipts: self.share_receipts.unwrap_or(settings.share_receipts),
            share_last_seen: self.share_last_seen.unwrap_or(settings.share_last_seen),
        }
    }
}

#[async_trait]
pub trait UserStore: Send + Sync {
    /// The account and its first session, both or neither. When both the user name and the
    /// address are taken, the user name is reported.
    async fn register(&self, user: NewUser, session: NewSession) -> Result<User, RegisterError>;
    /// By user name or e-mail address, whichever the text is; `@` tells them apart.
    async fn credentials(&self, login: &str) -> Result<Option<Credentials>, Failure>;
    /// As others see them: of an account that has ended, what is left in its place.
    async fn user(&self, id: UserId) -> Result<Option<User>, Failure>;
    /// For who acts as this account: `None` for one that has ended.
    async fn account(&self, id: UserId) -> Result<Option<User>, Failure>;
    /// The account after the change; `None` when there is no such account.
    async fn update(&self, id: UserId, change: UserChange) -> Result<Option<User>, Failure>;
}

/// What became of a refresh token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The new token is stored, the presented one is spent (its first use stays recorded).
    Rotated(Identity),
    /// It was spent too long ago; its session is revoked now.
    FamilyRevoked(Identity),
    /// Unknown, expired or revoked.
    Refused,
}

#[async_trait]
pub trait SessionStore: Send + Sync {
    /// For who has just shown that they know the password with this hash, at the moment of the
    /// writing: `false`, and nothing is written, when the account has another password by now, or
    /// has ended. Who sets another password waits for this, or this waits for them. Of more than
    /// `limits::SESSIONS_PER_USER` those end that were not used for the longest time.
    async fn open(&self, session: NewSession, proven_hash: &str) -> Result<bool, Failure>;
    /// Whose session a refresh token belongs to, spent or not; `None` for one that is unknown,
    /// expired or revoked.
    async fn holder(&self, digest: &str, now: Timestamp) -> Result<Option<UserId>, Failure>;
    /// Judges the presented token by `domain::RefreshTokenState::judge` under a lock of its
    /// session and does what the verdict says, all at once.
    async fn rotate(
        &self,
        presented_digest: &str,
        fresh: NewRefreshToken,
        now: Timestamp,
    ) -> Result<Rotation, Failure>;
    /// Idempotent.
    async fn revoke(&self, session_id: SessionId, now: Timestamp) -> Result<(), Failure>;
    /// Known, not revoked.
    async fn is_active(&self, identity: Identity) -> Result<bool, Failure>;
}
