//! The Postgres ports of groups and blocks.

use async_trait::async_trait;
use domain::{ConversationId, Membership, Timestamp, User, UserId};
use service::port::{
    BlockError, BlockStore, Failure, GroupChanged, GroupError, GroupRequest, GroupStore, PageError,
    Upkeep,
};
use service::{Page, Preferences};

use super::Ports;
use crate::members;
use crate::plan::Mutation;

#[async_trait]
impl GroupStore for Ports {
    async fn change(&self, request: GroupRequest) -> Result<GroupChanged, GroupError> {
        self.step("change group", async {
            let changed = self.world.history.change(request).await?;
            members::changed(&self.world, &changed);
            if self.world.is_mutated(Mutation::ForgetsCopies) {
                self.world.history.confirm_copies(&changed.copies).await?;
            }
            Ok(changed)
        })
        .await
    }

    async fn hide(&self, user: UserId, id: ConversationId) -> Result<bool, GroupError> {
        self.step("hide", async {
            let is_hidden = self.world.history.hide(user, id).await?;
            self.world.count("hidden", "members");
            Ok(is_hidden)
        })
        .await
    }

    async fn prefer(
        &self,
        user: UserId,
        id: ConversationId,
        preferences: Preferences,
    ) -> Result<Option<Membership>, Failure> {
        self.step("prefer", self.world.history.prefer(user, id, preferences)).await
    }
}

#[async_trait]
impl BlockStore for Ports {
    async fn block(&self, user: UserId, other: UserId, now: Timestamp) -> Result<(), BlockError> {
        self.step("block", async {
            BlockStore::block(&*self.world.history, user, other, now).await?;
            members::blocked(&self.world, user, other, true);
            Ok(())
        })
        .await
    }

    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Failure> {
        self.step("unblock", async {
            self.world.history.unblock(user, other).await?;
            members::blocked(&self.world, user, other, false);
            Ok(())
        })
        .await
    }

    async fn blocked(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        self.step("blocked", self.world.history.blocked(user, page)).await
    }

    async fn search(
        &self,
        user: UserId,
        prefix: &str,
        page: Page,
    ) -> Result<(Vec<User>, Option<String>), PageError> {
        self.step("search", self.world.history.search(user, prefix, page)).await
    }
}
