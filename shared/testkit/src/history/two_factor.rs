//! `TwoFactorStore`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::UserId;
use service::Identity;
use service::port::{Failure, TwoFactor, TwoFactorStore};

use super::FakeHistory;

pub(super) struct Factor {
    sealed_secret: String,
    is_on: bool,
    last_step: Option<u64>,
    recovery_digests: BTreeSet<String>,
}

#[async_trait]
impl TwoFactorStore for FakeHistory {
    async fn state(&self, user: UserId) -> Result<TwoFactor, Failure> {
        Ok(match self.reach()?.factors.get(&user) {
            None => TwoFactor::Off,
            Some(Factor { sealed_secret, is_on, .. }) => {
                let sealed_secret = sealed_secret.clone();
                if *is_on {
                    TwoFactor::On { sealed_secret }
                } else {
                    TwoFactor::Pending { sealed_secret }
                }
            }
        })
    }

    async fn begin(&self, user: UserId, sealed_secret: &str) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        if state.factors.get(&user).is_some_and(|factor| factor.is_on) {
            return Ok(false);
        }
        let factor = Factor {
            sealed_secret: sealed_secret.to_owned(),
            is_on: false,
            last_step: None,
            recovery_digests: BTreeSet::new(),
        };
        state.factors.insert(user, factor);
        Ok(true)
    }

    async fn confirm(
        &self,
        user: UserId,
        sealed_secret: &str,
        step: u64,
        recovery_digests: &[String],
    ) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let pending = state.factors.get_mut(&user).filter(|factor| !factor.is_on);
        let pending = pending.filter(|factor| factor.sealed_secret == sealed_secret);
        let Some(factor) = pending else { return Ok(false) };
        factor.is_on = true;
        factor.last_step = Some(step);
        factor.recovery_digests = recovery_digests.iter().cloned().collect();
        Ok(true)
    }

    async fn disable(&self, by: Identity, proven_hash: &str) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let account = state.account(by.user_id);
        let is_proven = account.is_some_and(|account| account.password_hash == proven_hash);
        if !is_proven || !state.is_active(by) {
            return Ok(false);
        }
        state.factors.remove(&by.user_id);
        Ok(true)
    }

    async fn spend_step(&self, user: UserId, step: u64) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let factor = state.factors.get_mut(&user).filter(|factor| factor.is_on);
        let unused = factor.filter(|factor| factor.last_step.is_none_or(|last| last < step));
        Ok(unused.map(|factor| factor.last_step = Some(step)).is_some())
    }

    async fn spend_recovery_code(&self, user: UserId, digest: &str) -> Result<bool, Failure> {
        let mut state = self.reach()?;
        let factor = state.factors.get_mut(&user);
        Ok(factor.is_some_and(|factor| factor.recovery_digests.remove(digest)))
    }
}
