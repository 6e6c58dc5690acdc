//! `BlockStore`: people who do not want to hear of each other, and looking for people.

use async_trait::async_trait;
use domain::{Timestamp, User, UserId, limits};
use service::Page;
use service::port::{BlockError, BlockStore, Failure, PageError};
use tokio_postgres::types::Type;

use crate::contacts::PgPeople;
use crate::database::Parameter;
use crate::error::DatabaseError;
use crate::query;
use crate::row::{column, instant};

const BLOCKS_AT_MOST: i64 = limits::BLOCKS_PER_USER as i64;
const NAMES_AT_MOST: i64 = limits::NAMES_PER_SEARCH as i64;

#[async_trait]
impl BlockStore for PgPeople {
    async fn block(&self, user: UserId, other: UserId, now: Timestamp) -> Result<(), BlockError> {
        let pair: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&other.0, Type::UUID)];
        let parameters: [Parameter<'_>; 4] = [
            (&user.0, Type::UUID),
            (&other.0, Type::UUID),
            (&instant(now), Type::TIMESTAMPTZ),
            (&BLOCKS_AT_MOST, Type::INT8),
        ];
        let lock = (query::LOCK_PEOPLE, &pair[..]);
        let rows = self.database.locked(lock, (query::BLOCK, &parameters)).await?;
        let row = rows.first().ok_or_else(|| DatabaseError::unreadable("no verdict"))?;
        match column(row, "verdict")? {
            "blocked" | "known" => Ok(()),
            "unknown" => Err(BlockError::UnknownUser),
            "full" => Err(BlockError::Full),
            _ => Err(DatabaseError::unreadable("a verdict").into()),
        }
    }

    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Failure> {
        let parameters: [Parameter<'_>; 2] = [(&user.0, Type::UUID), (&other.0, Type::UUID)];
        self.database.query(query::UNBLOCK, &parameters).await?;
        Ok(())
    }

    async fn blocked(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        self.people(query::BLOCKED, user, None, &page).await
    }

    async fn search(
        &self,
        user: UserId,
        prefix: &str,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        let asked = (beginning(prefix), NAMES_AT_MOST);
        self.people(query::SEARCH_PEOPLE, user, Some((&asked.0, asked.1)), &page).await
    }
}

/// The pattern of what begins so. `_` is a letter of user names, and the one wildcard that people
/// type without meaning it.
fn beginning(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 1);
    for letter in prefix.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

impl From<DatabaseError> for BlockError {
    fn from(error: DatabaseError) -> Self {
        Self::Failure(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_types_is_never_a_wildcard() {
        assert_eq!(beginning("ada"), "ada%");
        assert_eq!(beginning(r"a_b%\"), r"a\_b\%\\%");
    }
}
