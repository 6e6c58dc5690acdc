//! `MailTokenStore`, `PasswordStore` and `SessionDirectory`.

use std::cmp::Reverse;

use async_trait::async_trait;
use domain::{SessionId, Timestamp, UserId};
use service::port::{
    Failure, MailPurpose, MailTokenStore, NewMailToken, PasswordStore, SessionDirectory,
};
use service::{Device, Identity, SessionView};

use super::{FakeHistory, State};

impl State {
    /// Whose it is; it is worth nothing afterwards.
    fn spend(&mut self, digest: &str, purpose: MailPurpose, now: Timestamp) -> Option<UserId> {
        let token = self.mail_tokens.get(digest)?;
        if token.purpose != purpose || token.expires_at <= now {
            return None;
        }
        self.mail_tokens.remove(digest).map(|token| token.user_id)
    }

    /// Ends every session of theirs but one; answers those that this ended.
    fn revoke_all(&mut self, user_id: UserId, keep: Option<SessionId>) -> Vec<Identity> {
        let mut ended = vec![];
        for (id, session) in &mut self.sessions {
            if session.user_id == user_id && !session.is_revoked && Some(*id) != keep {
                session.is_revoked = true;
                ended.push(Identity { user_id, session_id: *id });
            }
        }
        ended
    }
}

#[async_trait]
impl MailTokenStore for FakeHistory {
    async fn issue(&self, token: NewMailToken) -> Result<(), Failure> {
        let mut state = self.reach()?;
        let is_older =
            |other: &NewMailToken| other.user_id == token.user_id && other.purpose == token.purpose;
        state.mail_tokens.retain(|_, other| !is_older(other));
        if state.account(token.user_id).is_some() {
            state.mail_tokens.insert(token.digest.clone(), token);
        }
        Ok(())
    }

    async fn verify_email(&self, digest: &str, now: Timestamp) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let Some(user) = state.spend(digest, MailPurpose::VerifyEmail, now) else {
            return Ok(false);
        };
        if let Some(account) = state.users.get_mut(&user) {
            account.user.email_verified = true;
        }
        Ok(true)
    }

    async fn reset_password(
        &self,
        digest: &str,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure> {
        let mut state = self.reach()?;
        let Some(user) = state.spend(digest, MailPurpose::ResetPassword, now) else {
            return Ok(None);
        };
        if let Some(account) = state.users.get_mut(&user) {
            password_hash.clone_into(&mut account.password_hash);
        }
        Ok(Some(state.revoke_all(user, None)))
    }
}

#[async_trait]
impl PasswordStore for FakeHistory {
    async fn hash_of(&self, user: UserId) -> Result<Option<String>, Failure> {
        Ok(self.reach()?.account(user).map(|account| account.password_hash.clone()))
    }

    async fn change(
        &self,
        keep: Identity,
        password_hash: &str,
        _now: Timestamp,
    ) -> Result<Vec<Identity>, Failure> {
        let mut state = self.reach()?;
        if let Some(account) = state.users.get_mut(&keep.user_id) {
            password_hash.clone_into(&mut account.password_hash);
        }
        Ok(state.revoke_all(keep.user_id, Some(keep.session_id)))
    }

    async fn rehash(&self, user: UserId, old_hash: &str, new_hash: &str) -> Result<(), Failure> {
        let mut state = self.reach()?;
        let account = state.users.get_mut(&user);
        if let Some(account) = account.filter(|account| account.password_hash == old_hash) {
            new_hash.clone_into(&mut account.password_hash);
        }
        Ok(())
    }
}

#[async_trait]
impl SessionDirectory for FakeHistory {
    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionView>, Failure> {
        let state = self.reach()?;
        let lasts = |id: &SessionId| {
            state.tokens.values().any(|token| token.session_id == *id && now < token.expires_at)
        };
        let theirs = state.sessions.iter().filter(|(_, one)| one.user_id == user);
        let open = theirs.filter(|(id, session)| !session.is_revoked && lasts(id));
        let mut views: Vec<_> = open
            .map(|(id, session)| SessionView {
                id: *id,
                device_name: session.device_name.clone(),
                address: session.address.clone(),
                created_at: session.created_at,
                last_used_at: session.last_used_at,
            })
            .collect();
        views.sort_by_key(|view| Reverse((view.last_used_at, view.id)));
        Ok(views)
    }

    async fn revoke_one(
        &self,
        user: UserId,
        session: SessionId,
        _now: Timestamp,
    ) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let found = state.sessions.get_mut(&session);
        let found = found.filter(|found| found.user_id == user && !found.is_revoked);
        Ok(found.map(|found| found.is_revoked = true).is_some())
    }

    async fn knows_device(&self, user: UserId, device: &Device) -> Result<bool, Failure> {
        let state = self.reach()?;
        let mut theirs = state.sessions.values().filter(|session| session.user_id == user);
        Ok(theirs.any(|one| one.device_name == device.name && one.address == device.address))
    }

    async fn revoke_others(
        &self,
        keep: Identity,
        _now: Timestamp,
    ) -> Result<Vec<Identity>, Failure> {
        Ok(self.reach()?.revoke_all(keep.user_id, Some(keep.session_id)))
    }
}
