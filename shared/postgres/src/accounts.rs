//! `UserStore`: accounts. Their sessions are in sessions.rs.

use async_trait::async_trait;
use domain::{AvatarUrl, Bio, DisplayName, EmailAddress, Settings, User, UserId, Username};
use service::port::{
    Credentials, Failure, NewSession, NewUser, RegisterError, UserChange, UserStore,
};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::database::Database;
use crate::error::DatabaseError;
use crate::query;
use crate::row::{Read, column, instant, parsed, parsed_opt, time, user_id};

/// Accounts and sessions.
pub struct PgAccounts {
    pub(crate) database: Database,
}

impl PgAccounts {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn insert(&self, user: &NewUser, session: &NewSession) -> Result<(), DatabaseError> {
        let parameters: [crate::database::Parameter<'_>; 11] = [
            (&user.id.0, Type::UUID),
            (&user.username.as_str(), Type::TEXT),
            (&user.email.as_str(), Type::TEXT),
            (&user.display_name.as_str(), Type::TEXT),
            (&user.password_hash, Type::TEXT),
            (&instant(user.created_at), Type::TIMESTAMPTZ),
            (&session.id.0, Type::UUID),
            (&session.device_name, Type::TEXT),
            (&session.address, Type::TEXT),
            (&session.refresh.digest, Type::TEXT),
            (&instant(session.refresh.expires_at), Type::TIMESTAMPTZ),
        ];
        self.database.query(query::INSERT_USER, &parameters).await.map(|_| ())
    }

    async fn is_username_taken(&self, username: &Username) -> Result<bool, DatabaseError> {
        let parameters = [(&username.as_str() as _, Type::TEXT)];
        let row = self.database.query_opt(query::USERNAME_EXISTS, &parameters).await?;
        Ok(row.is_some())
    }
}

#[async_trait]
impl UserStore for PgAccounts {
    async fn register(&self, user: NewUser, session: NewSession) -> Result<User, RegisterError> {
        match self.insert(&user, &session).await {
            Ok(()) => {}
            // Which of two violated keys Postgres names depends on the order of the indexes.
            Err(error) if error.is_email_taken() => {
                let both = self.is_username_taken(&user.username).await?;
                return Err(if both { RegisterError::UsernameTaken } else { error.into() });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(User {
            id: user.id,
            username: user.username,
            email: user.email,
            email_verified: false,
            display_name: user.display_name,
            bio: Bio::parse("").map_err(|_| DatabaseError::unreadable("an empty bio"))?,
            avatar_url: None,
            settings: Settings::default(),
            created_at: user.created_at,
        })
    }

    async fn credentials(&self, login: &str) -> Result<Option<Credentials>, Failure> {
        let (sql, login) = if login.contains('@') {
            let Ok(email) = EmailAddress::parse(login) else { return Ok(None) };
            (query::CREDENTIALS_BY_EMAIL, email.to_string())
        } else {
            let Ok(username) = Username::parse(login) else { return Ok(None) };
            (query::CREDENTIALS_BY_USERNAME, username.to_string())
        };
        let row = self.database.query_opt(sql, &[(&login, Type::TEXT)]).await?;
        let Some(row) = row else { return Ok(None) };
        let password_hash = column(&row, "password_hash")?;
        Ok(Some(Credentials { user: user(&row)?, password_hash }))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, Failure> {
        let row = self.database.query_opt(query::USER, &[(&id.0, Type::UUID)]).await?;
        Ok(row.as_ref().map(user).transpose()?)
    }

    async fn account(&self, id: UserId) -> Result<Option<User>, Failure> {
        let row = self.database.query_opt(query::ACCOUNT, &[(&id.0, Type::UUID)]).await?;
        Ok(row.as_ref().map(user).transpose()?)
    }

    async fn update(&self, id: UserId, change: UserChange) -> Result<Option<User>, Failure> {
        let display_name = change.display_name.as_ref().map(DisplayName::as_str);
        let bio = change.bio.as_ref().map(Bio::as_str);
        let changes_picture = change.avatar_url.is_some();
        let picture = change.avatar_url.flatten();
        let picture = picture.as_ref().map(AvatarUrl::as_str);
        let parameters: [crate::database::Parameter<'_>; 7] = [
            (&id.0, Type::UUID),
            (&display_name, Type::TEXT),
            (&bio, Type::TEXT),
            (&change.settings.share_receipts, Type::BOOL),
            (&change.settings.share_last_seen, Type::BOOL),
            (&changes_picture, Type::BOOL),
            (&picture, Type::TEXT),
        ];
        let row = self.database.query_opt(query::UPDATE_USER, &parameters).await?;
        Ok(row.as_ref().map(user).transpose()?)
    }
}

pub(crate) fn user(row: &Row) -> Read<User> {
    Ok(User {
        id: user_id(row, "id")?,
        username: parsed(row, "username", Username::parse)?,
        email: parsed(row, "email", EmailAddress::parse)?,
        email_verified: column(row, "email_verified")?,
        display_name: parsed(row, "display_name", DisplayName::parse)?,
        bio: parsed(row, "bio", Bio::parse)?,
        avatar_url: parsed_opt(row, "avatar_url", AvatarUrl::parse)?,
        settings: Settings {
            share_receipts: column(row, "share_receipts")?,
            share_last_seen: column(row, "share_last_seen")?,
        },
        created_at: time(row, "created_at")?,
    })
}
