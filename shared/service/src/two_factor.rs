//! A second factor: one-time codes of an app, and recovery codes for who has lost it.

use std::sync::Arc;

use domain::{Password, TokenBucket, UserId, limits};

use crate::pace::throttle;
use crate::port::{Clock, Entropy, OneTimeCodes, RateLimiter, TwoFactor, TwoFactorStore};
use crate::proof::{PasswordProof, wrong_password};
use crate::{Caller, Error};

/// Turning it on and off.
#[derive(Clone)]
pub struct TwoFactorSetup {
    pub proof: PasswordProof,
    pub second_factor: SecondFactor,
}

/// What an authenticator app is given; shown once.
#[derive(Clone)]
pub struct Enrolment {
    pub url: String,
    pub secret: String,
}

impl TwoFactorSetup {
    /// 403 `wrong_password`, 409 `two_factor_on`. Nothing is asked for at sign-in until it is
    /// confirmed. Here and below: 401 for a session that has ended.
    pub async fn enrol(&self, caller: Caller, password: Password) -> Result<Enrolment, Error> {
        let (user, _) = self.proof.ask(caller, password).await?;
        let SecondFactor { factors, codes, .. } = &self.second_factor;
        let sealed = codes.new_secret(user.id)?;
        if !factors.begin(user.id, &sealed).await? {
            let detail = "two-factor sign-in is on: turn it off first";
            return Err(Error::Conflict { code: "two_factor_on", detail });
        }
        let (url, secret) = codes.enrolment(user.id, &sealed, user.username.as_str())?;
        Ok(Enrolment { url, secret })
    }

    /// Turns it on with a first code; answers the recovery codes, which nobody sees again. 409
    /// `two_factor_off` when nothing waits to be confirmed, or something else than the code was
    /// compared with; 403 `totp_invalid`.
    pub async fn confirm(&self, caller: Caller, code: &str) -> Result<Vec<String>, Error> {
        let user = self.proof.admit(caller).await?.id;
        let SecondFactor { factors, codes, entropy, clock, .. } = &self.second_factor;
        let TwoFactor::Pending { sealed_secret } = factors.state(user).await? else {
            return Err(off());
        };
        let step = codes.check(user, &sealed_secret, code.trim(), clock.now())?;
        let step = step.ok_or_else(totp_invalid)?;
        let made: Vec<_> = (0..limits::RECOVERY_CODES).map(|_| self.recovery_code()).collect();
        let digests: Vec<_> = made.iter().map(|code| recovery_digest(&**entropy, code)).collect();
        if !factors.confirm(user, &sealed_secret, step, &digests).await? {
            return Err(off());
        }
        Ok(made)
    }

    /// With the password and, while it is on, a code: 403 `wrong_password`, also for one that was
    /// changed a moment ago, `totp_required`, `totp_invalid`.
    pub async fn disable(
        &self,
        caller: Caller,
        password: Password,
        code: Option<&str>,
    ) -> Result<(), Error> {
        let (user, proven) = self.proof.ask(caller, password).await?;
        self.second_factor.demand(user.id, code).await?;
        let is_off = self.second_factor.factors.disable(caller.identity(), &proven).await?;
        if is_off { Ok(()) } else { Err(wrong_password()) }
    }

    /// Eighty bits, in four groups that can be typed: `7f2e1-09a4c-…`.
    fn recovery_code(&self) -> String {
        let entropy = &self.second_factor.entropy;
        let secret = entropy.digest(&entropy.secret());
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

/// Asks for the second factor.
#[derive(Clone)]
pub struct SecondFactor {
    pub factors: Arc<dyn TwoFactorStore>,
    pub codes: Arc<dyn OneTimeCodes>,
    pub limiter: Arc<dyn RateLimiter>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
}

const CODES: TokenBucket = TokenBucket::per_hour(limits::CODES_PER_HOUR);

impl SecondFactor {
    /// A code of the app, once each; or a recovery code, once ever. 429 for an account at which
    /// many are tried: whoever gets here knows the password.
    pub async fn check(&self, user: UserId, code: Option<&str>) -> Result<Proof, Error> {
        let TwoFactor::On { sealed_secret } = self.factors.state(user).await? else {
            return Ok(Proof::NotAsked);
        };
        let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
            return Ok(Proof::Missing);
        };
        throttle(&*self.limiter, &*self.clock, &format!("code/{user}"), CODES).await?;
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

    /// For who is signed in already: 403 `totp_required` or `totp_invalid` while it is on.
    pub(crate) async fn demand(&self, user: UserId, code: Option<&str>) -> Result<(), Error> {
        match self.check(user, code).await? {
            Proof::NotAsked | Proof::Right => Ok(()),
            Proof::Missing => {
                let detail = "a one-time code is required";
                Err(Error::Forbidden { code: "totp_required", detail })
            }
            Proof::Wrong => Err(totp_invalid()),
        }
    }
}
