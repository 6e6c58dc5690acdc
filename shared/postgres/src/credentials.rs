//! `MailTokenStore`, `PasswordStore` and `SessionDirectory`: proofs beside the password, and where
//! one is signed in.

use async_trait::async_trait;
use domain::{SessionId, Timestamp, User, UserId, limits};
use service::port::{
    Failure, MailPurpose, MailTokenStore, NewMailToken, PasswordStore, SessionDirectory,
};
use service::{Device, Identity, SessionView};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::accounts::{PgAccounts, user};
use crate::database::Parameter;
use crate::query;
use crate::row::{Read, column, instant, is_digest, time, user_id};
use crate::sessions::count;

fn purpose(purpose: MailPurpose) -> &'static str {
    match purpose {
        MailPurpose::VerifyEmail => "verify_email",
        MailPurpose::ResetPassword => "reset_password",
    }
}

#[async_trait]
impl MailTokenStore for PgAccounts {
    async fn issue(&self, token: NewMailToken) -> Result<(), Failure> {
        let parameters: [Parameter<'_>; 4] = [
            (&token.user_id.0, Type::UUID),
            (&purpose(token.purpose), Type::TEXT),
            (&token.digest, Type::TEXT),
            (&instant(token.expires_at), Type::TIMESTAMPTZ),
        ];
        self.database.query(query::ISSUE_MAIL_TOKEN, &parameters).await?;
        Ok(())
    }

    async fn verify_email(&self, digest: &str, now: Timestamp) -> Result<bool, Failure> {
        if !is_digest(digest) {
            return Ok(false);
        }
        let parameters: [Parameter<'_>; 2] =
            [(&digest, Type::TEXT), (&instant(now), Type::TIMESTAMPTZ)];
        let row = self.database.query_opt(query::VERIFY_EMAIL, &parameters).await?;
        Ok(row.is_some())
    }

    async fn reset_owner(&self, digest: &str, now: Timestamp) -> Result<Option<User>, Failure> {
        if !is_digest(digest) {
            return Ok(None);
        }
        let parameters: [Parameter<'_>; 2] =
            [(&digest, Type::TEXT), (&instant(now), Type::TIMESTAMPTZ)];
        let row = self.database.query_opt(query::RESET_OWNER, &parameters).await?;
        Ok(row.as_ref().map(user).transpose()?)
    }

    async fn reset_password(
        &self,
        digest: &str,
        password_hash: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure> {
        if !is_digest(digest) {
            return Ok(None);
        }
        let (since, most) = lately(now);
        let parameters: [Parameter<'_>; 5] = [
            (&digest, Type::TEXT),
            (&instant(now), Type::TIMESTAMPTZ),
            (&password_hash, Type::TEXT),
            (&instant(since), Type::TIMESTAMPTZ),
            (&most, Type::INT8),
        ];
        let lock = (query::LOCK_BY_MAIL_TOKEN, &[(&digest as _, Type::TEXT)][..]);
        let rows = self.database.locked(lock, (query::RESET_PASSWORD, &parameters)).await?;
        Ok(rows.first().map(ended).transpose()?)
    }
}

#[async_trait]
impl PasswordStore for PgAccounts {
    async fn hash_of(&self, user: UserId) -> Result<Option<String>, Failure> {
        let parameters: [Parameter<'_>; 1] = [(&user.0, Type::UUID)];
        let row = self.database.query_opt(query::PASSWORD_HASH, &parameters).await?;
        Ok(row.map(|row| column(&row, "password_hash")).transpose()?)
    }

    async fn change(
        &self,
        keep: Identity,
        proven_hash: &str,
        new_hash: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure> {
        let (since, most) = lately(now);
        let parameters: [Parameter<'_>; 7] = [
            (&keep.user_id.0, Type::UUID),
            (&keep.session_id.0, Type::UUID),
            (&proven_hash, Type::TEXT),
            (&new_hash, Type::TEXT),
            (&instant(now), Type::TIMESTAMPTZ),
            (&instant(since), Type::TIMESTAMPTZ),
            (&most, Type::INT8),
        ];
        let lock = (query::LOCK_CREDENTIALS, &[(&keep.user_id.0 as _, Type::UUID)][..]);
        let rows = self.database.locked(lock, (query::CHANGE_PASSWORD, &parameters)).await?;
        Ok(rows.first().map(ended).transpose()?)
    }

    async fn rehash(&self, user: UserId, old_hash: &str, new_hash: &str) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 3] =
            [(&user.0, Type::UUID), (&old_hash, Type::TEXT), (&new_hash, Type::TEXT)];
        Ok(self.database.query_opt(query::REHASH_PASSWORD, &parameters).await?.is_some())
    }
}

#[async_trait]
impl SessionDirectory for PgAccounts {
    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionView>, Failure> {
        let parameters: [Parameter<'_>; 3] = [
            (&user.0, Type::UUID),
            (&instant(now), Type::TIMESTAMPTZ),
            (&i64::from(limits::PAGE_MAX), Type::INT8),
        ];
        let rows = self.database.query(query::SESSIONS, &parameters).await?;
        let sessions: Read<Vec<_>> = rows.iter().map(view).collect();
        Ok(sessions?)
    }

    async fn find(&self, identity: Identity) -> Result<Option<SessionView>, Failure> {
        let Identity { user_id, session_id } = identity;
        let parameters: [Parameter<'_>; 2] =
            [(&session_id.0, Type::UUID), (&user_id.0, Type::UUID)];
        let row = self.database.query_opt(query::SESSION, &parameters).await?;
        Ok(row.as_ref().map(view).transpose()?)
    }

    async fn revoke_one(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 3] =
            [(&session.0, Type::UUID), (&user.0, Type::UUID), (&instant(now), Type::TIMESTAMPTZ)];
        let row = self.database.query_opt(query::REVOKE_ONE_SESSION, &parameters).await?;
        Ok(row.is_some())
    }

    async fn knows_device(&self, user: UserId, device: &Device) -> Result<bool, Failure> {
        let parameters: [Parameter<'_>; 3] =
            [(&user.0, Type::UUID), (&device.name, Type::TEXT), (&device.address, Type::TEXT)];
        let row = self.database.query_opt(query::KNOWS_DEVICE, &parameters).await?;
        Ok(row.map_or(Ok(false), |row| column(&row, "is_known"))?)
    }

    async fn revoke_others(
        &self,
        keep: Identity,
        now: Timestamp,
    ) -> Result<Option<Vec<Identity>>, Failure> {
        let (since, most) = lately(now);
        let parameters: [Parameter<'_>; 5] = [
            (&keep.user_id.0, Type::UUID),
            (&keep.session_id.0, Type::UUID),
            (&instant(now), Type::TIMESTAMPTZ),
            (&instant(since), Type::TIMESTAMPTZ),
            (&most, Type::INT8),
        ];
        let lock = (query::LOCK_CREDENTIALS, &[(&keep.user_id.0 as _, Type::UUID)][..]);
        let rows = self.database.locked(lock, (query::REVOKE_OTHER_SESSIONS, &parameters)).await?;
        Ok(rows.first().map(ended).transpose()?)
    }
}

pub(crate) fn identity(user_id: UserId, session_id: Uuid) -> Identity {
    Identity { user_id, session_id: SessionId(session_id) }
}

/// Sockets of sessions that ended before this have ended themselves; and how many are told again
/// at most.
fn lately(now: Timestamp) -> (Timestamp, i64) {
    (now.minus(limits::CONNECTION_RECORD_LIFETIME), count(limits::SESSIONS_PER_USER))
}

/// Sessions that ended, now or lately.
fn ended(row: &Row) -> Read<Vec<Identity>> {
    let user = user_id(row, "id")?;
    let sessions: Vec<Uuid> = column(row, "session_ids")?;
    Ok(sessions.into_iter().map(|id| identity(user, id)).collect())
}

fn view(row: &Row) -> Read<SessionView> {
    Ok(SessionView {
        id: SessionId(column(row, "id")?),
        device_name: column(row, "device_name")?,
        address: column(row, "address")?,
        created_at: time(row, "created_at")?,
        last_used_at: time(row, "last_used_at")?,
    })
}
