//! Rules of sessions: when a refresh token may be used.

use crate::{Timestamp, limits};

/// What is known of a refresh token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshTokenState {
    pub expires_at: Timestamp,
    /// When it was exchanged for another one, if it was.
    pub spent_at: Option<Timestamp>,
    pub session_revoked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshVerdict {
    /// A new token is issued; the first use also spends the old one.
    Accept,
    /// The token was stolen, or its owner lost the newer one: the session ends.
    RevokeFamily,
    /// Expired or revoked: sign in again.
    Refuse,
}

impl RefreshTokenState {
    /// A spent token is accepted for ten more seconds, because the answer that carried its
    /// successor may have been lost; after that its use means that two parties hold it.
    pub fn judge(self, now: Timestamp) -> RefreshVerdict {
        if self.session_revoked || self.expires_at <= now {
            return RefreshVerdict::Refuse;
        }
        match self.spent_at {
            None => RefreshVerdict::Accept,
            Some(spent) if now.since(spent) <= limits::REFRESH_SIBLING_WINDOW => {
                RefreshVerdict::Accept
            }
            Some(_) => RefreshVerdict::RevokeFamily,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(seconds * 1000).unwrap()
    }

    fn state(spent_at: Option<i64>) -> RefreshTokenState {
        let spent_at = spent_at.map(at);
        RefreshTokenState { expires_at: at(1000), spent_at, session_revoked: false }
    }

    #[test]
    fn a_fresh_token_is_accepted_until_it_expires() {
        assert_eq!(state(None).judge(at(999)), RefreshVerdict::Accept);
        assert_eq!(state(None).judge(at(1000)), RefreshVerdict::Refuse);
    }

    #[test]
    fn a_spent_token_is_accepted_for_ten_seconds_and_then_ends_the_family() {
        assert_eq!(state(Some(100)).judge(at(110)), RefreshVerdict::Accept);
        let late = at(110).plus(Duration::from_millis(1));
        assert_eq!(state(Some(100)).judge(late), RefreshVerdict::RevokeFamily);
    }

    #[test]
    fn a_token_of_a_revoked_session_is_refused_whatever_else_is_true() {
        let revoked = RefreshTokenState { session_revoked: true, ..state(Some(100)) };
        assert_eq!(revoked.judge(at(101)), RefreshVerdict::Refuse);
    }
}
