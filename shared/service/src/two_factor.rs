//! A second factor: one-time codes of an app, and recovery codes for who has lost it.

use std::sync::Arc;

use domain::{Password, User, UserId, limits};

use crate::credentials::{LOGINS, throttle, wrong_password};
use crate::port::{
    Clock, Entropy, OneTimeCodes, PasswordHasher, PasswordStore, RateLimiter, TwoFactor,
    TwoFactorStore, UserStore,
};
use crate::{Caller, Error};

/// Turning it on and off.
#[derive(Clone)]
pub struct TwoFactorSetup {
    pub users: Arc<dyn UserStore>,
    pub passwords: Arc<dyn PasswordStore>,
    pub factors: Arc<dyn TwoFactorStore>,
    pub codes: Arc<dyn OneTimeCodes>,
    pub hasher: Arc<dyn PasswordHasher>,
    pub limiter: Arc<dyn RateLimiter>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

/// What an authenticator app is given; shown once.
#[derive(Clone)]
pub struct Enrolment {
    pub url: String,
    pub secret: String,
}

impl TwoFactorSetup {
    /// 403 `wrong_password`, 409 `two_factor_on`. Nothing is asked for at sign-in until it is
    /// confirmed.
    pub async fn enrol(&self, caller: Caller, password: Password) -> Result<Enrolment, Error> {
        let user = self.prove(caller, password).await?;
        let sealed = self.codes.new_secret(user.id)?;
        if !self.factors.begin(user.id, &sealed).await? {
            let detail = "two-factor sign-in is on: turn it off first";
            return Err(Error::Conflict { code: "two_factor_on", detail });
        }
        let (url, secret) = self.codes.enrolment(user.id, &sealed, user.username.as_str())?;
        Ok(Enrolment { url, secret })
    }

    /// Turns it on with a first code; answers the recovery codes, which nobody sees again. 409
    /// `two_factor_off` when nothing waits to be confirmed, 403 `totp_invalid`.
    pub async fn confirm(&self, caller: Caller, code: &str) -> Result<Vec<String>, Error> {
        let user = caller.user_id();
        throttle(&*self.limiter, &*self.clock, &format!("login/{user}"), LOGINS).await?;
        let TwoFactor::Pending { sealed_secret } = self.factors.state(user).await? else {
            return Err(off());
        };
        let step = self.codes.check(user, &sealed_secret, code, self.clock.now())?;
        let step = step.ok_or_else(totp_invalid)?;
        let codes: Vec<_> = (0..limits::RECOVERY_CODES).map(|_| self.recovery_code()).collect();
        let digests: Vec<_> =
            codes.iter().map(|code| recovery_digest(&*self.entropy, code)).collect();
        if !self.factors.confirm(user, step, &digests).await? {
            return Err(off());
        }
        Ok(codes)
    }

    /// With the password and, while it is on, a code.
    pub async fn disable(
        &self,
        caller: Caller,
        password: Password,
        code: Option<&str>,
    ) -> Result<(), Error> {
        let user = self.prove(caller, password).await?;
        let is_right = self.second_factor().check(user.id, code).await?;
        match is_right {
            Proof::NotAsked | Proof::Right => Ok(self.factors.disable(user.id).await?),
            Proof::Missing | Proof::Wrong => Err(totp_invalid()),
        }
    }

    fn second_factor(&self) -> SecondFactor {
        SecondFactor {
            factors: self.factors.clone(),
            codes: self.codes.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
        }
    }

    async fn prove(&self, caller: Caller, password: Password) -> Result<User, Error> {
        let id = caller.user_id();
        throttle(&*self.limiter, &*self.clock, &format!("login/{id}"), LOGINS).await?;
        let user = self.users.user(id).await?.ok_or_else(Error::unauthenticated)?;
        let hash = self.passwords.hash_of(id).await?;
        if self.hasher.verify(password, hash).await? { Ok(user) } else { Err(wrong_password()) }
    }

    /// Eighty bits, in four groups that can be typed: `7k2m-9qpr-…`.
    fn recovery_code(&self) -> String {
        let secret = self.entropy.digest(&self.entropy.secret());
        let groups: Vec<_> = (0..4).map(|group| &secret[group * 5..group * 5 + 5]).collect();
        groups.join("-")
    }
}

fn recovery_digest(entropy: &dyn Entropy, code: &str) -> String {
    let plain: String = code.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    entropy.digest(&plain.to_ascii_lowercase())
}

fn off() -> Error {
    let detail = "two-factor sign-in is not being set up";
    Error::Conflict { code: "two_factor_off", detail }
}

fn totp_invalid() -> Error {
    let detail = "the code is wrong, or was used already: wait for the next one";
    Error::Forbidden { code: "totp_invalid", detail }
}

/// What became of the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It is off.
    NotAsked,
    Right,
    Missing,
    Wrong,
}

/// Asks for the second factor at sign-in.
#[derive(Clone)]
pub struct SecondFactor {
    pub factors: Arc<dyn TwoFactorStore>,
    pub codes: Arc<dyn OneTimeCodes>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

impl SecondFactor {
    /// A code of the app, once each; or a recovery code, once ever.
    pub async fn check(&self, user: UserId, code: Option<&str>) -> Result<Proof, Error> {
        let TwoFactor::On { sealed_secret } = self.factors.state(user).await? else {
            return Ok(Proof::NotAsked);
        };
        let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
            return Ok(Proof::Missing);
        };
        let step = self.codes.check(user, &sealed_secret, code, self.clock.now())?;
        let is_right = match step {
            Some(step) => self.factors.spend_step(user, step).await?,
            None => {
                let digest = recovery_digest(&*self.entropy, code);
                self.factors.spend_recovery_code(user, &digest).await?
            }
        };
        Ok(if is_right { Proof::Right } else { Proof::Wrong })
    }
}
