//! `SessionStore`: sign-ins and their refresh tokens.

use async_trait::async_trait;
use domain::{RefreshTokenState, RefreshVerdict, SessionId, Timestamp, UserId, limits};
use service::Identity;
use service::port::{Failure, NewRefreshToken, NewSession, Rotation, SessionStore};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::accounts::PgAccounts;
use crate::database::{Lease, Parameter};
use crate::error::DatabaseError;
use crate::query;
use crate::row::{Read, column, instant, is_digest, time, time_opt, user_id};

#[async_trait]
impl SessionStore for PgAccounts {
    async fn open(&self, session: NewSession, proven_hash: &str) -> Result<bool, Failure> {
        let others = count(limits::SESSIONS_PER_USER - 1);
        let parameters: [Parameter<'_>; 9] = [
            (&session.id.0, Type::UUID),
            (&session.user_id.0, Type::UUID),
            (&session.device_name, Type::TEXT),
            (&session.address, Type::TEXT),
            (&instant(session.created_at), Type::TIMESTAMPTZ),
            (&session.refresh.digest, Type::TEXT),
            (&instant(session.refresh.expires_at), Type::TIMESTAMPTZ),
            (&proven_hash, Type::TEXT),
            (&others, Type::INT8),
        ];
        let opened = self.database.query_opt(query::INSERT_SESSION, &parameters).await?;
        Ok(opened.is_some())
    }

    async fn holder(&self, digest: &str, now: Timestamp) -> Result<Option<UserId>, Failure> {
        if !is_digest(digest) {
            return Ok(None);
        }
        let parameters: [Parameter<'_>; 2] =
            [(&digest, Type::TEXT), (&instant(now), Type::TIMESTAMPTZ)];
        let row = self.database.query_opt(query::SESSION_HOLDER, &parameters).await?;
        Ok(row.map(|row| user_id(&row, "user_id")).transpose()?)
    }

    async fn rotate(
        &self,
        presented_digest: &str,
        fresh: NewRefreshToken,
        now: Timestamp,
    ) -> Result<Rotation, Failure> {
        if !is_digest(presented_digest) {
            return Ok(Rotation::Refused);
        }
        // Dropped on an error, the lease ends the transaction with its connection.
        let mut lease = self.database.lease().await?;
        let client = lease.client();
        let parameters = [(&presented_digest as _, Type::TEXT)];
        let pipeline = async {
            let (begun, locked) = tokio::join!(
                client.batch_execute("BEGIN"),
                client.query_typed(query::LOCK_BY_TOKEN, &parameters),
            );
            begun?;
            locked
        };
        let rows = lease.step(pipeline).await?;
        let Some(found) = rows.first().map(token).transpose()? else {
            finish(&mut lease, "ROLLBACK").await?;
            return Ok(Rotation::Refused);
        };
        match found.state.judge(now) {
            RefreshVerdict::Accept => {
                exchange(&mut lease, found.identity.session_id, presented_digest, &fresh, now)
                    .await?;
                Ok(Rotation::Rotated(found.identity))
            }
            RefreshVerdict::RevokeFamily => {
                revoke(&mut lease, found.identity.session_id, now).await?;
                Ok(Rotation::FamilyRevoked(found.identity))
            }
            RefreshVerdict::Refuse => {
                finish(&mut lease, "ROLLBACK").await?;
                Ok(Rotation::Refused)
            }
        }
    }

    async fn revoke(&self, session_id: SessionId, now: Timestamp) -> Result<(), Failure> {
        let parameters: [Parameter<'_>; 2] =
            [(&session_id.0, Type::UUID), (&instant(now), Type::TIMESTAMPTZ)];
        self.database.query(query::REVOKE_SESSION, &parameters).await?;
        Ok(())
    }

    async fn is_active(&self, identity: Identity) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 2] =
            [(&identity.session_id.0, Type::UUID), (&identity.user_id.0, Type::UUID)];
        let row = self.database.query_opt(query::ACTIVE_SESSION, &parameters).await?;
        Ok(row.is_some())
    }
}

/// A limit as a parameter.
pub(crate) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

struct PresentedToken {
    identity: Identity,
    state: RefreshTokenState,
}

fn token(row: &Row) -> Read<PresentedToken> {
    Ok(PresentedToken {
        identity: Identity {
            user_id: user_id(row, "user_id")?,
            session_id: SessionId(column(row, "session_id")?),
        },
        state: RefreshTokenState {
            expires_at: time(row, "expires_at")?,
            spent_at: time_opt(row, "spent_at")?,
            session_revoked: time_opt(row, "revoked_at")?.is_some(),
        },
    })
}

async fn exchange(
    lease: &mut Lease<'_>,
    session_id: SessionId,
    presented_digest: &str,
    fresh: &NewRefreshToken,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let parameters: [Parameter<'_>; 5] = [
        (&session_id.0, Type::UUID),
        (&presented_digest, Type::TEXT),
        (&fresh.digest, Type::TEXT),
        (&instant(fresh.expires_at), Type::TIMESTAMPTZ),
        (&instant(now), Type::TIMESTAMPTZ),
    ];
    commit_with(lease, query::EXCHANGE_TOKEN, &parameters).await
}

async fn revoke(
    lease: &mut Lease<'_>,
    session_id: SessionId,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let parameters: [Parameter<'_>; 2] =
        [(&session_id.0, Type::UUID), (&instant(now), Type::TIMESTAMPTZ)];
    commit_with(lease, query::REVOKE_SESSION, &parameters).await
}

/// The last statement and the commit in one go; after a failed statement the commit rolls back.
async fn commit_with(
    lease: &mut Lease<'_>,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<(), DatabaseError> {
    let client = lease.client();
    let pipeline = async {
        let (written, committed) =
            tokio::join!(client.query_typed(sql, parameters), client.batch_execute("COMMIT"));
        written?;
        committed
    };
    lease.settle(pipeline).await
}

async fn finish(lease: &mut Lease<'_>, sql: &str) -> Result<(), DatabaseError> {
    let client = lease.client();
    lease.settle(client.batch_execute(sql)).await
}
