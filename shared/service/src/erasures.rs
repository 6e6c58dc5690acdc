//! The end of an account, and what somebody may take along.

use std::sync::Arc;

use domain::{EmailAddress, Password, TokenBucket, UserId, limits};

use crate::credentials::hang_up;
use crate::pace::throttle;
use crate::port::{
    Clock, Erased, Erasure, ErasureQueue, Export, ExportPart, Failure, LiveErasure, RateLimiter,
    SessionStore,
};
use crate::proof::{PasswordProof, check_session};
use crate::two_factor::SecondFactor;
use crate::{Caller, Error, Hangup};

/// `DELETE /users/me`
#[derive(Clone)]
pub struct Departures {
    pub proof: PasswordProof,
    pub second_factor: SecondFactor,
    pub erasure: Arc<dyn Erasure>,
    pub queue: Arc<dyn ErasureQueue>,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

impl Departures {
    /// With the password and, while the second factor is on, a code: 403 `wrong_password`,
    /// `totp_required`, `totp_invalid`. 401 for a session that has ended. Afterwards nobody can
    /// sign in to this account and nobody is; the rest, which may be thousands of conversations,
    /// goes in a job. The job is queued first: an account that is half gone must not stay so, and
    /// it does again what fails here.
    pub async fn leave(
        &self,
        caller: Caller,
        password: Password,
        code: Option<&str>,
    ) -> Result<(), Error> {
        let (user, _) = self.proof.ask(caller, password).await?;
        self.second_factor.demand(user.id, code).await?;
        self.queue.enqueue(user.id, &user.email).await?;
        let sessions = self.erasure.end_account(user.id, self.clock.now()).await?;
        hang_up(&self.hangup, sessions, "account_erased").await
    }
}

/// The worker behind `accounts-to-erase`.
#[derive(Clone)]
pub struct Erasures {
    pub erasure: Arc<dyn Erasure>,
    pub live: Arc<dyn LiveErasure>,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

impl Erasures {
    /// Erases whatever is left, looks for what should not be there, and logs the report. An error
    /// sends the job round again; every step can be done twice.
    pub async fn run(&self, user: UserId, email: &EmailAddress) -> Result<(), Failure> {
        let Erased { sessions, rows } = self.erasure.erase(user, self.clock.now()).await?;
        if let Err(error) = hang_up(&self.hangup, sessions.clone(), "account_erased").await {
            return Err(Failure::unavailable("sockets", error));
        }
        self.erasure.forget_sessions(&sessions).await?;
        self.live.erase(user, self.clock.now()).await?;
        let mut residue = self.erasure.residue(user, email).await?;
        residue.extend(self.live.residue(user).await?);
        let report = |rows: &[(&str, u64)]| {
            let words = rows.iter().map(|(table, count)| format!("{table} {count}"));
            words.collect::<Vec<_>>().join(", ")
        };
        let (erased, left) = (report(&rows), report(&residue));
        tracing::info!(user_id = %user, erased, left, "account erased");
        if residue.is_empty() {
            return Ok(());
        }
        Err(Failure::unavailable("erasure", format!("still there: {left}")))
    }
}

/// `GET /users/me/export`
#[derive(Clone)]
pub struct Exports {
    pub export: Arc<dyn Export>,
    pub sessions: Arc<dyn SessionStore>,
    pub limiter: Arc<dyn RateLimiter>,
    pub clock: Arc<dyn Clock>,
}

const PARTS: TokenBucket = TokenBucket::per_minute(limits::EXPORT_PARTS_PER_MINUTE);

impl Exports {
    /// 401 for a session that has ended: nothing tells more of a person than this. 429 for who
    /// takes one part after the other without an end.
    pub async fn part(&self, caller: Caller, cursor: Option<&str>) -> Result<ExportPart, Error> {
        let scope = format!("export/{}", caller.user_id());
        throttle(&*self.limiter, &*self.clock, &scope, PARTS).await?;
        check_session(&*self.sessions, caller).await?;
        Ok(self.export.part(caller.user_id(), cursor).await?)
    }
}
