//! `TwoFactorStore`: one-time codes and recovery codes.

use async_trait::async_trait;
use domain::UserId;
use service::Identity;
use service::port::{Failure, TwoFactor, TwoFactorStore};
use tokio_postgres::types::Type;

use crate::accounts::PgAccounts;
use crate::database::Parameter;
use crate::error::DatabaseError;
use crate::query;
use crate::row::{Read, column, is_digest};

/// No clock gets there; one that did would have made the code worth nothing.
fn step(step: u64) -> Read<i64> {
    i64::try_from(step).map_err(|_| DatabaseError::unreadable("a time step"))
}

impl PgAccounts {
    /// Whether the statement answered a row.
    async fn did(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<bool, Failure> {
        Ok(self.database.query_opt(sql, parameters).await?.is_some())
    }
}

#[async_trait]
impl TwoFactorStore for PgAccounts {
    async fn state(&self, user: UserId) -> Result<TwoFactor, Failure> {
        let parameters: [Parameter<'_>; 1] = [(&user.0, Type::UUID)];
        let row = self.database.query_opt(query::TWO_FACTOR, &parameters).await?;
        let Some(row) = row else { return Ok(TwoFactor::Off) };
        let sealed_secret = column(&row, "sealed_secret")?;
        if column(&row, "is_on")? {
            return Ok(TwoFactor::On { sealed_secret });
        }
        Ok(TwoFactor::Pending { sealed_secret })
    }

    async fn begin(&self, user: UserId, sealed_secret: &str) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&sealed_secret, Type::TEXT)];
        self.did(query::BEGIN_TWO_FACTOR, &parameters).await
    }

    async fn confirm(
        &self,
        user: UserId,
        sealed_secret: &str,
        time_step: u64,
        recovery_digests: &[String],
    ) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 4] = [
            (&user.0, Type::UUID),
            (&step(time_step)?, Type::INT8),
            (&recovery_digests, Type::TEXT_ARRAY),
            (&sealed_secret, Type::TEXT),
        ];
        self.did(query::CONFIRM_TWO_FACTOR, &parameters).await
    }

    async fn disable(&self, by: Identity, proven_hash: &str) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 3] = [
            (&by.user_id.0, Type::UUID),
            (&by.session_id.0, Type::UUID),
            (&proven_hash, Type::TEXT),
        ];
        let lock = (query::LOCK_CREDENTIALS, &[(&by.user_id.0 as _, Type::UUID)][..]);
        let rows = self.database.locked(lock, (query::DISABLE_TWO_FACTOR, &parameters)).await?;
        Ok(!rows.is_empty())
    }

    async fn spend_step(&self, user: UserId, time_step: u64) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 2] =
            [(&user.0, Type::UUID), (&step(time_step)?, Type::INT8)];
        self.did(query::SPEND_STEP, &parameters).await
    }

    async fn spend_recovery_code(&self, user: UserId, digest: &str) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&digest, Type::TEXT)];
        Ok(is_digest(digest) && self.did(query::SPEND_RECOVERY_CODE, &parameters).await?)
    }
}
