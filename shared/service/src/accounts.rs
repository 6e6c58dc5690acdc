//! Signing up and signing in.

use std::sync::Arc;

use domain::{DisplayName, EmailAddress, Password, SessionId, User, UserId, Username, limits};

use crate::port::{
    AccessToken, Clock, Entropy, NewRefreshToken, NewSession, NewUser, PasswordHasher,
    RegisterError, SessionStore, TokenSigner, UserStore,
};
use crate::{Error, Identity};

/// What a person gives to sign up.
#[derive(Debug, Clone)]
pub struct Registration {
    pub username: Username,
    pub email: EmailAddress,
    pub password: Password,
    /// The user name when absent.
    pub display_name: Option<DisplayName>,
    pub device: Device,
}

/// What a person gives to sign in.
#[derive(Debug, Clone)]
pub struct Login {
    /// A user name or an e-mail address, as typed.
    pub login: String,
    pub password: Password,
    pub device: Device,
}

/// What is shown in the list of sessions.
#[derive(Debug, Clone, Default)]
pub struct Device {
    pub name: Option<String>,
    pub address: Option<String>,
}

/// A session that was opened or renewed.
#[derive(Clone)]
pub struct SignedIn {
    pub user: User,
    pub session_id: SessionId,
    pub access: AccessToken,
    pub refresh_token: String,
}

#[derive(Clone)]
pub struct Accounts {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub hasher: Arc<dyn PasswordHasher>,
    pub signer: Arc<dyn TokenSigner>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl Accounts {
    /// 409 `username_taken` or `email_taken`.
    pub async fn register(&self, registration: Registration) -> Result<SignedIn, Error> {
        let display_name = match registration.display_name {
            Some(name) => name,
            None => DisplayName::parse(registration.username.as_str())
                .map_err(|invalid| Error::invalid("username", invalid))?,
        };
        let user = NewUser {
            id: UserId(self.entropy.uuid_v7()),
            username: registration.username,
            email: registration.email,
            display_name,
            password_hash: self.hasher.hash(registration.password).await?,
            created_at: self.clock.now(),
        };
        let (session, refresh_token) = self.new_session(user.id, registration.device);
        let (session_id, access) = (session.id, self.sign(&session).await?);
        let user = self.users.register(user, session).await.map_err(taken)?;
        Ok(SignedIn { user, session_id, access, refresh_token })
    }

    /// 401 `invalid_credentials`, after the same work for an unknown user as for a wrong password.
    pub async fn login(&self, login: Login) -> Result<SignedIn, Error> {
        let known = self.users.credentials(&login.login.trim().to_lowercase()).await?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let is_right = self.hasher.verify(login.password, hash).await?;
        let user = match known {
            Some(known) if is_right => known.user,
            _ => {
                let detail = "the user name or the password is wrong";
                return Err(Error::Unauthenticated { code: "invalid_credentials", detail });
            }
        };
        let (session, refresh_token) = self.new_session(user.id, login.device);
        let (session_id, access) = (session.id, self.sign(&session).await?);
        self.sessions.open(session).await?;
        Ok(SignedIn { user, session_id, access, refresh_token })
    }

    fn new_session(&self, user_id: UserId, device: Device) -> (NewSession, String) {
        let (refresh, refresh_token) = new_refresh_token(&*self.entropy, &*self.clock);
        let session = NewSession {
            id: SessionId(self.entropy.uuid_v7()),
            user_id,
            device_name: device.name,
            address: device.address,
            created_at: self.clock.now(),
            refresh,
        };
        (session, refresh_token)
    }

    /// Before anything is stored: an account whose owner got no answer could not be made again.
    async fn sign(&self, session: &NewSession) -> Result<AccessToken, Error> {
        let identity = Identity { user_id: session.user_id, session_id: session.id };
        Ok(self.signer.sign(identity).await?)
    }
}

/// What is stored of a new refresh token, and the token itself.
pub(crate) fn new_refresh_token(
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> (NewRefreshToken, String) {
    let token = entropy.secret();
    let expires_at = clock.now().plus(limits::REFRESH_TOKEN_LIFETIME);
    (NewRefreshToken { digest: entropy.digest(&token), expires_at }, token)
}

fn taken(error: RegisterError) -> Error {
    let conflict = |code, detail| Error::Conflict { code, detail };
    match error {
        RegisterError::UsernameTaken => {
            conflict("username_taken", "this user name belongs to somebody")
        }
        RegisterError::EmailTaken => {
            conflict("email_taken", "there is an account with this e-mail address")
        }
        RegisterError::Failure(failure) => failure.into(),
    }
}
