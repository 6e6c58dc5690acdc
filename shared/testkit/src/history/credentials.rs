//! `MailTokenStore`, `PasswordStore` and `SessionDirectory`.

use std::cmp::Reverse;

use async_trait::async_trait;
use domain::{SessionId, Timestamp, User, UserId, limits};
use service::port::{
    Failure, MailPurpose, MailTokenStore, NewMailToken, PasswordStore, SessionDirectory,
};
use service::{Device, Identity, SessionView};

use super::{FakeHistory, State};

/// Whether a token that is kept is worth something.
trait Worth {
    fn is_good(&self, purpose: MailPurpose, now: Timestamp) -> bool;
}

impl Worth for NewMailToken {
    fn is_good(&self, purpose: MailPurpose, now: Timestamp) -> bool {
        self.purpose == purpose && now < self.expires_at
    }
}

impl State {
    /// Whose it is; it is worth nothing afterwards.
    fn spend(&mut self, digest: &str, purpose: MailPurpose, now: Timestamp) -> Option<UserId> {
        self.mail_tokens.get(digest).filter(|token| token.is_good(purpose, now))?;
        self.mail_tokens.remove(digest).map(|token| token.user_id)
    }

    /// Ends every session of theirs but one; answers those that this ended, and the latest of
    /// those that ended lately.
    fn revoke_all(
        &mut self,
        user_id: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Vec<Identity> {
        let since = now.minus(limits::CONNECTION_RECORD_LIFETIME);
        let theirs = self.sessions.iter_mut().filter(|(_, session)| session.user_id == user_id);
        let (mut ended, mut lately) = (vec![], vec![]);
        for (id, session) in theirs {
            match session.revoked_at {
                None if Some(*id) != keep => {
                    session.revoked_at = Some(now);
                    ended.push(*id);
                }
                Some(at) if since < at => lately.push((Reverse(at), *id)),
                None | Some(_) => {}
            }
        }
        lately.sort();
        let lately = lately.into_iter().map(|(_, id)| id).take(limits::SESSIONS_PER_USER);
        ended.extend(lately);
        ended.into_iter().map(|session_id| Identity { user_id, session_id }).collect()
    }

    /// Ends the least used, so that there is room for one more.
    pub(super) fn end_surplus(&mut self, user: UserId, now: Timestamp) {
        let theirs = self.sessions.iter_mut().filter(|(_, session)| session.user_id == user);
        let mut open: Vec<_> = theirs.filter(|(_, one)| one.revoked_at.is_none()).collect();
        open.sort_by_key(|(id, session)| Reverse((session.last_used_at, **id)));
        for (_, session) in open.into_iter().skip(limits::SESSIONS_PER_USER - 1) {
            session.revoked_at = Some(now);
        }
    }

    pub(super) fn is_active(&self, identity: Identity) -> bool {
        let session = self.sessions.get(&identity.session_id);
        session.is_some_and(|one| one.user_id == identity.user_id && one.revoked_at.is_none())
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

    async fn reset_owner(&self, digest: &str, now: Timestamp) -> Result<Option<User>, Failure> {
        let state = self.reach()?;
        let token = state.mail_tokens.get(digest);
        let good = token.filter(|token| token.is_good(MailPurpose::ResetPassword, now));
        let account = good.and_then(|token| state.account(token.user_id));
        Ok(account.map(|account| account.user.clone()))
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
            account.user.email_verified = true;
        }
        Ok(Some(state.revoke_all(user, None, now)))
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
        proven_hash: &str,
        new_hash: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure> {
        let mut state = self.reach()?;
        if !state.is_active(keep) {
            return Ok(None);
        }
        let account = state.users.get_mut(&keep.user_id).filter(|account| !account.is_erased);
        let Some(account) = account.filter(|account| account.password_hash == proven_hash) else {
            return Ok(None);
        };
        new_hash.clone_into(&mut account.password_hash);
        let is_other = |token: &NewMailToken| {
            token.user_id != keep.user_id || token.purpose != MailPurpose::ResetPassword
        };
        state.mail_tokens.retain(|_, token| is_other(token));
        Ok(Some(state.revoke_all(keep.user_id, Some(keep.session_id), now)))
    }

    async fn rehash(&self, user: UserId, old_hash: &str, new_hash: &str) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let account = state.users.get_mut(&user).filter(|account| !account.is_erased);
        let account = account.filter(|account| account.password_hash == old_hash);
        Ok(account.map(|account| new_hash.clone_into(&mut account.password_hash)).is_some())
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
        let open = theirs.filter(|(id, session)| session.revoked_at.is_none() && lasts(id));
        let mut views: Vec<_> = open.map(|(id, session)| view(*id, session)).collect();
        views.sort_by_key(|view| Reverse((view.last_used_at, view.id)));
        Ok(views)
    }

    async fn find(&self, identity: Identity) -> Result<Option<SessionView>, Failure> {
        let Identity { user_id, session_id } = identity;
        let state = self.reach()?;
        let session = state.sessions.get(&session_id).filter(|one| one.user_id == user_id);
        let session = session.filter(|_| state.account(user_id).is_some());
        Ok(session.map(|session| view(session_id, session)))
    }

    async fn revoke_one(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let found = state.sessions.get_mut(&session).filter(|found| found.user_id == user);
        Ok(found.map(|found| found.revoked_at.get_or_insert(now)).is_some())
    }

    async fn knows_device(&self, user: UserId, device: &Device) -> Result<bool, Failure> {
        let state = self.reach()?;
        let mut theirs = state.sessions.values().filter(|session| session.user_id == user);
        Ok(theirs.any(|one| one.device_name == device.name && one.address == device.address))
    }

    async fn revoke_others(
        &self,
        keep: Identity,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure> {
        let mut state = self.reach()?;
        let is_active = state.is_active(keep);
        Ok(is_active.then(|| state.revoke_all(keep.user_id, Some(keep.session_id), now)))
    }
}

fn view(id: SessionId, session: &super::Session) -> SessionView {
    SessionView {
        id,
        device_name: session.device_name.clone(),
        address: session.address.clone(),
        created_at: session.created_at,
        last_used_at: session.last_used_at,
    }
}
