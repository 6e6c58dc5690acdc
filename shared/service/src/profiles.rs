//! What people see of each other and of themselves.

use std::sync::Arc;

use domain::{User, UserId};

use crate::port::{SessionStore, UserChange, UserStore};
use crate::proof::check_session;
use crate::{Caller, Error};

#[derive(Clone)]
pub struct Profiles {
    pub users: Arc<dyn UserStore>,
    pub sessions: Arc<dyn SessionStore>,
}

impl Profiles {
    /// 401 for a caller whose account is gone.
    pub async fn me(&self, caller: Caller) -> Result<User, Error> {
        self.users.account(caller.user_id()).await?.ok_or_else(Error::unauthenticated)
    }

    /// 401 for a session that has ended.
    pub async fn update_me(&self, caller: Caller, change: UserChange) -> Result<User, Error> {
        check_session(&*self.sessions, caller).await?;
        let updated = self.users.update(caller.user_id(), change).await?;
        updated.ok_or_else(Error::unauthenticated)
    }

    /// 404 `user_not_found`. The transport shows only the public part.
    pub async fn user(&self, id: UserId) -> Result<User, Error> {
        self.users.user(id).await?.ok_or_else(Error::user_not_found)
    }
}
