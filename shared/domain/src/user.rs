//! People.

use crate::{AvatarUrl, Bio, DisplayName, EmailAddress, Timestamp, UserId, Username};

/// An account. The password's hash is not part of it and never leaves the sign-in path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: Username,
    pub email: EmailAddress,
    pub email_verified: bool,
    pub display_name: DisplayName,
    pub bio: Bio,
    pub avatar_url: Option<AvatarUrl>,
    pub settings: Settings,
    pub created_at: Timestamp,
}

/// What a user lets others see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub share_receipts: bool,
    pub share_last_seen: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { share_receipts: true, share_last_seen: true }
    }
}
