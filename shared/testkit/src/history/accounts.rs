//! `UserStore` and `SessionStore`.

use async_trait::async_trait;
use domain::{
    Bio, EmailAddress, RefreshTokenState, RefreshVerdict, SessionId, Settings, Timestamp, User,
    UserId, Username,
};
use service::Identity;
use service::port::{
    Credentials, Failure, NewRefreshToken, NewSession, NewUser, RegisterError, Rotation,
    SessionStore, UserChange, UserStore,
};

use super::{Account, FakeHistory, Session, State, Token};

#[async_trait]
impl UserStore for FakeHistory {
    async fn register(&self, user: NewUser, session: NewSession) -> Result<User, RegisterError> {
        let mut state = self.reach()?;
        if state.users.values().any(|account| account.user.username == user.username) {
            return Err(RegisterError::UsernameTaken);
        }
        if state.users.values().any(|account| account.user.email == user.email) {
            return Err(RegisterError::EmailTaken);
        }
        let bio = Bio::parse("").map_err(|error| Failure::bug("an empty bio", error))?;
        let created = User {
            id: user.id,
            username: user.username,
            email: user.email,
            email_verified: false,
            display_name: user.display_name,
            bio,
            avatar_url: None,
            settings: Settings::default(),
            created_at: user.created_at,
        };
        let password_hash = user.password_hash;
        let account = Account { user: created.clone(), password_hash, is_erased: false };
        state.users.insert(user.id, account);
        insert_session(&mut state, session);
        Ok(created)
    }

    async fn credentials(&self, login: &str) -> Result<Option<Credentials>, Failure> {
        let state = self.reach()?;
        let username = Username::parse(login).ok().filter(|_| !login.contains('@'));
        let email = EmailAddress::parse(login).ok();
        let found = state.users.values().filter(|account| !account.is_erased).find(|account| {
            Some(&account.user.username) == username.as_ref()
                || Some(&account.user.email) == email.as_ref()
        });
        Ok(found.map(|account| Credentials {
            user: account.user.clone(),
            password_hash: account.password_hash.clone(),
        }))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, Failure> {
        Ok(self.reach()?.users.get(&id).map(|account| account.user.clone()))
    }

    async fn account(&self, id: UserId) -> Result<Option<User>, Failure> {
        Ok(self.reach()?.account(id).map(|account| account.user.clone()))
    }

    async fn update(&self, id: UserId, change: UserChange) -> Result<Option<User>, Failure> {
        let mut state = self.reach()?;
        let account = state.users.get_mut(&id).filter(|account| !account.is_erased);
        let Some(account) = account else { return Ok(None) };
        let user = &mut account.user;
        user.display_name = change.display_name.unwrap_or_else(|| user.display_name.clone());
        user.bio = change.bio.unwrap_or_else(|| user.bio.clone());
        user.settings = change.settings.of(user.settings);
        user.avatar_url = change.avatar_url.unwrap_or_else(|| user.avatar_url.clone());
        Ok(Some(user.clone()))
    }
}

fn insert_session(state: &mut State, session: NewSession) {
    let NewSession { id, user_id, device_name, address, created_at, refresh } = session;
    let (last_used_at, revoked_at) = (created_at, None);
    let kept = Session { user_id, device_name, address, created_at, last_used_at, revoked_at };
    state.sessions.insert(id, kept);
    insert_token(state, id, refresh);
}

fn insert_token(state: &mut State, session_id: SessionId, fresh: NewRefreshToken) {
    let token = Token { session_id, expires_at: fresh.expires_at, spent_at: None };
    state.tokens.insert(fresh.digest, token);
}

#[async_trait]
impl SessionStore for FakeHistory {
    async fn open(&self, session: NewSession, proven_hash: &str) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let account = state.account(session.user_id);
        let is_proven = account.is_some_and(|account| account.password_hash == proven_hash);
        if is_proven {
            state.end_surplus(session.user_id, session.created_at);
            insert_session(&mut state, session);
        }
        Ok(is_proven)
    }

    async fn holder(&self, digest: &str, now: Timestamp) -> Result<Option<UserId>, Failure> {
        let state = self.reach()?;
        let token = state.tokens.get(digest).filter(|token| now < token.expires_at);
        let session = token.and_then(|token| state.sessions.get(&token.session_id));
        let active = session.filter(|session| session.revoked_at.is_none());
        Ok(active.map(|session| session.user_id))
    }

    async fn rotate(
        &self,
        presented_digest: &str,
        fresh: NewRefreshToken,
        now: Timestamp,
    ) -> Result<Rotation, Failure> {
        let mut guard = self.reach()?;
        let state = &mut *guard;
        let Some(token) = state.tokens.get_mut(presented_digest) else {
            return Ok(Rotation::Refused);
        };
        let session_id = token.session_id;
        let Some(session) = state.sessions.get_mut(&session_id) else {
            return Ok(Rotation::Refused);
        };
        let presented = RefreshTokenState {
            expires_at: token.expires_at,
            spent_at: token.spent_at,
            session_revoked: session.revoked_at.is_some(),
        };
        let identity = Identity { user_id: session.user_id, session_id };
        match presented.judge(now) {
            RefreshVerdict::Accept => {
                token.spent_at.get_or_insert(now);
                session.last_used_at = now;
                insert_token(state, session_id, fresh);
                Ok(Rotation::Rotated(identity))
            }
            RefreshVerdict::RevokeFamily => {
                session.revoked_at = Some(now);
                Ok(Rotation::FamilyRevoked(identity))
            }
            RefreshVerdict::Refuse => Ok(Rotation::Refused),
        }
    }

    async fn revoke(&self, session_id: SessionId, now: Timestamp) -> Result<(), Failure> {
        if let Some(session) = self.reach()?.sessions.get_mut(&session_id) {
            session.revoked_at.get_or_insert(now);
        }
        Ok(())
    }

    async fn is_active(&self, identity: Identity) -> Result<bool, Failure> {
        let state = self.reach()?;
        let session = state.sessions.get(&identity.session_id);
        let own = session.filter(|found| found.user_id == identity.user_id);
        Ok(own.is_some_and(|found| found.revoked_at.is_none()))
    }
}
