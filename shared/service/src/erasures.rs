//! The end of an account, and what somebody may take along.

use std::sync::Arc;

use domain::{EmailAddress, Password, TokenBucket, UserId, limits};
use tokio::time::Instant;

use crate::credentials::hang_up;
use crate::groups::announcements;
use crate::pace::throttle;
use crate::port::{
    Clock, Erased, Erasure, ErasureQueue, Export, ExportPart, Failure, GroupChanged,
    LeftConversations, LiveErasure, RateLimiter, SessionStore,
};
use crate::proof::{PasswordProof, check_session};
use crate::two_factor::SecondFactor;
use crate::{Caller, Error, Hangup, Telling};

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
        let ended = self.erasure.end_account(user.id, self.clock.now()).await?;
        hang_up(&self.hangup, ended.sessions, "account_erased").await
    }
}

/// Conversations that are left before the others in them are told: what is held in memory, and
/// what a crash leaves to the sweep. The copies of so many are written together.
const CONVERSATIONS_PER_ROUND: usize = 50;
/// Rounds of one receive: more than there is time for.
const ROUNDS_MOST: usize = 200;

/// The worker behind `accounts-to-erase`.
#[derive(Clone)]
pub struct Erasures {
    pub erasure: Arc<dyn Erasure>,
    pub telling: Telling,
    pub live: Arc<dyn LiveErasure>,
    pub hangup: Hangup,
    pub clock: Arc<dyn Clock>,
}

impl Erasures {
    /// Erases whatever is left, looks for what should not be there, and logs the report. An error
    /// sends the job round again; every step can be done twice. So does the end of its time, in
    /// the middle of thousands of conversations: those that were left stay so, and the next
    /// receive goes on with the others.
    pub async fn run(&self, user: UserId, email: &EmailAddress) -> Result<(), Failure> {
        let ended = self.erasure.end_account(user, self.clock.now()).await?;
        let Erased { sessions, mut rows } = ended;
        // First, so that they do not hear themselves go; but sockets that cannot be ended now
        // keep nobody in a conversation.
        let hung_up = hang_up(&self.hangup, sessions.clone(), "account_erased").await;
        rows.push(("memberships", self.leave_everything(user).await?));
        rows.extend(self.erasure.empty_memberships(user).await?);
        hung_up.map_err(|error| Failure::unavailable("sockets", error))?;
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

    /// Each round leaves what it found, and nobody can come in who is gone. The others hear of a
    /// round before the next one begins.
    async fn leave_everything(&self, user: UserId) -> Result<u64, Failure> {
        let mut left = 0;
        for _ in 0..ROUNDS_MOST {
            let now = self.clock.now();
            let round = self.erasure.leave_some(user, CONVERSATIONS_PER_ROUND, now).await?;
            let LeftConversations { changes, is_last } = round;
            let is_stuck = changes.is_empty();
            left += u64::try_from(changes.len()).unwrap_or(u64::MAX);
            self.tell(changes).await;
            if is_last {
                return Ok(left);
            }
            if is_stuck {
                break;
            }
        }
        Err(Failure::unavailable("erasure", format!("more conversations than the {left} left")))
    }

    /// As anybody's leaving is told, but not to who left: they are no more. What fails here is
    /// logged, and owed in the outbox.
    async fn tell(&self, changes: Vec<GroupChanged>) {
        let copies: Vec<_> = changes.iter().flat_map(|change| &change.copies).copied().collect();
        let to_who_stays = |change| announcements(&GroupChanged { gone: vec![], ..change });
        let news = changes.into_iter().flat_map(to_who_stays).collect();
        // A worker that has more time than a request: each round has its own.
        self.telling.follow(Instant::now(), &copies, news).await;
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
