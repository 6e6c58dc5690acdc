//! Signing up and signing in.

use std::sync::Arc;

use domain::{
    DisplayName, EmailAddress, Password, SessionId, TokenBucket, User, UserId, Username, limits,
};

use crate::credentials::judge;
use crate::mail_requests::MAILS;
use crate::pace::{network, throttle};
use crate::port::{
    AccessToken, Clock, Credentials, Entropy, MailJob, MailQueue, NewRefreshToken, NewSession,
    NewUser, PasswordHasher, PasswordJudge, PasswordStore, RateLimiter, RegisterError,
    SessionDirectory, SessionStore, TokenSigner, UserStore,
};
use crate::proof::LOGINS;
use crate::two_factor::{Proof, SecondFactor};
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
    /// A code of the second factor.
    pub totp: Option<String>,
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

/// Signing up.
#[derive(Clone)]
pub struct Registrations {
    pub users: Arc<dyn UserStore>,
    pub hasher: Arc<dyn PasswordHasher>,
    pub judge: Arc<dyn PasswordJudge>,
    pub mail: Arc<dyn MailQueue>,
    pub limiter: Arc<dyn RateLimiter>,
    pub signer: Arc<dyn TokenSigner>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

const REGISTRATIONS: TokenBucket = TokenBucket::per_hour(limits::REGISTRATIONS_PER_HOUR);

impl Registrations {
    /// 409 `username_taken` or `email_taken`, 422 `weak_password`, 429 for an address that makes
    /// many accounts. A mail to verify the address follows.
    pub async fn register(&self, registration: Registration) -> Result<SignedIn, Error> {
        if let Some(address) = &registration.device.address {
            let scope = format!("register/{}", network(address));
            throttle(&*self.limiter, &*self.clock, &scope, REGISTRATIONS).await?;
        }
        let about = [registration.username.as_str(), registration.email.as_str()];
        judge(&*self.judge, &registration.password, &about, "password")?;
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
        let (session, refresh_token) =
            new_session(&*self.entropy, &*self.clock, (user.id, registration.device));
        let (session_id, access) = (session.id, sign(&*self.signer, &session).await?);
        let user = self.users.register(user, session).await.map_err(taken)?;
        post(&*self.mail, MailJob::VerifyEmail { user_id: user.id }).await;
        Ok(SignedIn { user, session_id, access, refresh_token })
    }
}

/// Signing in.
#[derive(Clone)]
pub struct Accounts {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub passwords: Arc<dyn PasswordStore>,
    pub directory: Arc<dyn SessionDirectory>,
    pub second_factor: SecondFactor,
    pub hasher: Arc<dyn PasswordHasher>,
    pub mail: Arc<dyn MailQueue>,
    pub limiter: Arc<dyn RateLimiter>,
    pub signer: Arc<dyn TokenSigner>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    /// Nobody signs in before their address is verified.
    pub requires_verified_email: bool,
}

impl Accounts {
    /// 401 `invalid_credentials`, after the same work for an unknown user as for a wrong password;
    /// then 403 `email_not_verified`, 401 `totp_required` or `totp_invalid`. 429 for an address
    /// or an account that is tried often, by whichever of its names. The least used session ends
    /// where there are too many; its sockets end with their next heartbeat.
    pub async fn login(&self, login: Login) -> Result<SignedIn, Error> {
        if let Some(address) = &login.device.address {
            self.throttle(&format!("login/{}", network(address)), LOGINS).await?;
        }
        let (user, proven) = self.recognise(&login.login, login.password).await?;
        // Before the second factor: a code counts once, and is not spent for a refusal.
        if self.requires_verified_email && !user.email_verified {
            return Err(email_not_verified());
        }
        match self.second_factor.check(user.id, login.totp.as_deref()).await? {
            Proof::NotAsked | Proof::Right => {}
            Proof::Missing => return Err(unproven("totp_required", "a one-time code is required")),
            Proof::Wrong => return Err(unproven("totp_invalid", "the one-time code is wrong")),
        }
        let is_known = self.directory.knows_device(user.id, &login.device).await?;
        let (session, refresh_token) =
            new_session(&*self.entropy, &*self.clock, (user.id, login.device));
        let (session_id, access) = (session.id, sign(&*self.signer, &session).await?);
        // The password may have been reset since it was compared.
        if !self.sessions.open(session, &proven).await? {
            return Err(invalid_credentials());
        }
        if !is_known {
            self.tell_of(session_id, &user).await;
        }
        Ok(SignedIn { user, session_id, access, refresh_token })
    }

    /// A mail about a device that was not known. Only to an address that was proven, since
    /// another one may be a stranger's; and not one for each of a hundred sign-ins.
    async fn tell_of(&self, session_id: SessionId, user: &User) {
        if !user.email_verified {
            return;
        }
        if let Err(error) = self.throttle(&format!("mail/{}", user.id), MAILS).await {
            tracing::info!(%error, user_id = %user.id, "a mail about a sign-in is left out");
            return;
        }
        let identity = Identity { user_id: user.id, session_id };
        post(&*self.mail, MailJob::NewSignIn { identity }).await;
    }

    /// Who has this name and this password, and the hash that proves it. One bucket for all names
    /// of an account, and one for each name that nobody has; the calls are the same for both.
    async fn recognise(&self, name: &str, password: Password) -> Result<(User, String), Error> {
        let name = name.trim().to_lowercase();
        let known = self.users.credentials(&name).await?;
        let scope = match &known {
            Some(known) => format!("login/{}", known.user.id),
            None => format!("login/{}", self.entropy.digest(&name)),
        };
        self.throttle(&scope, LOGINS).await?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let is_right = self.hasher.verify(password.clone(), hash).await?;
        let known = known.filter(|_| is_right).ok_or_else(invalid_credentials)?;
        if self.hasher.is_outdated(&known.password_hash) {
            return self.renew_hash(known, password).await;
        }
        Ok((known.user, known.password_hash))
    }

    /// A password that was hashed with older parameters is hashed again.
    async fn renew_hash(
        &self,
        known: Credentials,
        password: Password,
    ) -> Result<(User, String), Error> {
        let Credentials { user, password_hash } = known;
        let fresh = self.hasher.hash(password.clone()).await?;
        if self.passwords.rehash(user.id, &password_hash, &fresh).await? {
            return Ok((user, fresh));
        }
        // Another sign-in was faster with the same password, or somebody set another.
        let current = self.passwords.hash_of(user.id).await?;
        let is_right = self.hasher.verify(password, current.clone()).await?;
        let current = current.filter(|_| is_right).ok_or_else(invalid_credentials)?;
        Ok((user, current))
    }

    async fn throttle(&self, scope: &str, bucket: TokenBucket) -> Result<(), Error> {
        throttle(&*self.limiter, &*self.clock, scope, bucket).await
    }
}

/// A mail is a courtesy here: it can be asked for again.
async fn post(mail: &dyn MailQueue, job: MailJob) {
    if let Err(failure) = mail.enqueue(job).await {
        tracing::warn!(error = %failure, "a mail is not sent");
    }
}

fn new_session(
    entropy: &dyn Entropy,
    clock: &dyn Clock,
    (user_id, device): (UserId, Device),
) -> (NewSession, String) {
    let (refresh, refresh_token) = new_refresh_token(entropy, clock);
    let session = NewSession {
        id: SessionId(entropy.uuid_v7()),
        user_id,
        device_name: device.name,
        address: device.address,
        created_at: clock.now(),
        refresh,
    };
    (session, refresh_token)
}

/// Before anything is stored: an account whose owner got no answer could not be made again.
async fn sign(signer: &dyn TokenSigner, session: &NewSession) -> Result<AccessToken, Error> {
    let identity = Identity { user_id: session.user_id, session_id: session.id };
    Ok(signer.sign(identity).await?)
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

pub(crate) fn email_not_verified() -> Error {
    let detail = "the e-mail address must be verified first: see your inbox";
    Error::Forbidden { code: "email_not_verified", detail }
}

fn invalid_credentials() -> Error {
    unproven("invalid_credentials", "the user name or the password is wrong")
}

fn unproven(code: &'static str, detail: &'static str) -> Error {
    Error::Unauthenticated { code, detail }
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
