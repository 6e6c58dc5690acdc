//! The other Postgres ports: conversations, people, upkeep, the feed.

use std::time::Duration;

use async_trait::async_trait;
use domain::{Conversation, ConversationId, Member, Seq, Timestamp, UserId};
use service::port::{
    Acquaintance, Acquaintances, Behind, ConversationStore, Created, Failure, MembershipCopy,
    NewDirect, NewGroup, OpenError, PageError, PushLog, PushRecord, Straggler, SyncError, SyncFeed,
    Upkeep,
};
use service::{ConversationEntry, Page, SyncPage};

use super::Ports;

#[async_trait]
impl ConversationStore for Ports {
    async fn open_direct(&self, direct: NewDirect) -> Result<Created, OpenError> {
        self.step("open direct", self.world.history.open_direct(direct)).await
    }

    async fn open_group(&self, group: NewGroup) -> Result<Created, OpenError> {
        self.step("open group", self.world.history.open_group(group)).await
    }

    async fn list(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<ConversationEntry>, Option<String>), PageError> {
        self.step("list", self.world.history.list(user, page)).await
    }

    async fn get(&self, user: UserId, id: ConversationId) -> Result<Option<Conversation>, Failure> {
        self.step("get", self.world.history.get(user, id)).await
    }

    async fn members(
        &self,
        user: UserId,
        id: ConversationId,
        page: Page,
    ) -> Result<Option<(Vec<Member>, Option<String>)>, PageError> {
        self.step("members", self.world.history.members(user, id, page)).await
    }

    async fn behind(
        &self,
        user: UserId,
        cursors: &[(ConversationId, Seq)],
    ) -> Result<Vec<Behind>, Failure> {
        self.step("behind", self.world.history.behind(user, cursors)).await
    }
}

#[async_trait]
impl Acquaintances for Ports {
    async fn among(&self, user: UserId, people: &[UserId]) -> Result<Vec<Acquaintance>, Failure> {
        self.step("among", self.world.history.among(user, people)).await
    }

    async fn peers(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        limit: usize,
    ) -> Result<Option<Vec<UserId>>, Failure> {
        self.step("peers", self.world.history.peers(user, conversation_id, limit)).await
    }
}

#[async_trait]
impl SyncFeed for Ports {
    async fn changed_since(
        &self,
        user: UserId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<SyncPage, SyncError> {
        self.invocation.before("sync").await.map_err(PageError::from)?;
        let page = self.world.history.changed_since(user, cursor, limit).await?;
        self.invocation.after("sync").await.map_err(PageError::from)?;
        Ok(page)
    }
}

#[async_trait]
impl PushLog for Ports {
    async fn record(&self, pushes: &[PushRecord]) -> Result<(), Failure> {
        self.step("push log", self.world.history.record(pushes)).await
    }
}

#[async_trait]
impl Upkeep for Ports {
    async fn stragglers(
        &self,
        nudge_after: Duration,
        limit: usize,
    ) -> Result<Vec<Straggler>, Failure> {
        let stragglers = self.step("stragglers", self.world.history.stragglers(nudge_after, limit));
        let stragglers = stragglers.await?;
        if !stragglers.is_empty() {
            self.world.count("nudged", "sweep");
        }
        Ok(stragglers)
    }

    async fn unconfirmed_copies(&self, limit: usize) -> Result<Vec<MembershipCopy>, Failure> {
        let copies = self.step("unconfirmed", self.world.history.unconfirmed_copies(limit));
        let copies = copies.await?;
        if !copies.is_empty() {
            self.world.count("copies repaired", "sweep");
        }
        Ok(copies)
    }

    async fn owed_copies(&self, id: ConversationId) -> Result<Vec<MembershipCopy>, Failure> {
        self.step("owed", self.world.history.owed_copies(id)).await
    }

    async fn confirm_copies(&self, copies: &[MembershipCopy]) -> Result<(), Failure> {
        self.step("confirm", self.world.history.confirm_copies(copies)).await
    }

    async fn forget_traces(&self, limit: usize) -> Result<u64, Failure> {
        self.step("forget traces", self.world.history.forget_traces(limit)).await
    }

    async fn forget_ended(&self, before: Timestamp, limit: usize) -> Result<u64, Failure> {
        self.step("forget ended", self.world.history.forget_ended(before, limit)).await
    }
}
