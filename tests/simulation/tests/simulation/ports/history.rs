//! The Postgres ports that write and read messages.

use async_trait::async_trait;
use domain::{ConversationId, Emoji, Seq, UserId};
use service::port::{
    AppendError, ChangeError, ChangeRequest, Changed, ChangesPage, Commit, Failure, MessageChanges,
    MessageStore, PageError, RaisedMarks, ReceiptClaim, ReceiptStore, Submission,
};
use service::{MemberMarks, MessagePage, Page, Window};

use super::Ports;
use crate::mutants;
use crate::plan::Mutation;
use crate::world::{World, lock, sleep_ms};

/// The transaction itself, written down in the book at the moment of its commit.
async fn append(world: &World, submissions: &[Submission]) -> Result<Commit, AppendError> {
    let commit = match world.history.append(submissions).await {
        Err(AppendError::BadData(source)) => {
            world.book.refused(world, submissions);
            return Err(AppendError::BadData(source));
        }
        other => other?,
    };
    world.book.committed(world, submissions, &commit);
    Ok(commit)
}

fn transient(failure: Failure) -> AppendError {
    AppendError::Transient(failure.into())
}

impl Ports {
    /// Some messages end the process that touches them.
    async fn die_of(&self, submissions: &[Submission]) {
        let deadly = lock(&self.world.deadly).clone();
        if submissions.iter().any(|one| deadly.contains(&one.draft.client_id)) {
            self.world.count("deadly message", "append");
            self.invocation.crash().await;
        }
    }

    /// The client of the database gives up, and the database does not.
    fn commit_later(&self, submissions: &[Submission]) -> AppendError {
        self.world.count("late commit", "append");
        let (world, submissions) = (self.world.clone(), submissions.to_vec());
        tokio::spawn(async move {
            sleep_ms(world.chance.between(10, 6_000)).await;
            // Its result reaches nobody.
            let _ = append(&world, &submissions).await;
        });
        AppendError::Transient("no answer in time".into())
    }
}

#[async_trait]
impl MessageStore for Ports {
    async fn append(&self, submissions: &[Submission]) -> Result<Commit, AppendError> {
        self.invocation.before("append").await.map_err(transient)?;
        self.die_of(submissions).await;
        if self.world.is_mutated(Mutation::PushFirst) {
            mutants::push_first(self, submissions).await;
        }
        if self.world.chance.roll(self.world.rates().late_commit) {
            return Err(self.commit_later(submissions));
        }
        let commit = append(&self.world, submissions).await;
        if let Err(error) = &commit {
            self.world.say(|| format!("append of {} failed: {error}", submissions.len()));
        }
        let mut commit = commit?;
        if self.world.is_mutated(Mutation::TellsWhoLeft) {
            mutants::tell_who_left(&self.world, &mut commit);
        }
        if self.world.is_mutated(Mutation::CounterOutside) {
            mutants::count_first(self, &commit).await.map_err(transient)?;
        }
        self.invocation.after("append").await.map_err(transient)?;
        Ok(commit)
    }

    async fn page(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        window: Window,
        limit: u32,
    ) -> Result<Option<MessagePage>, Failure> {
        let page = self.world.history.page(user, conversation_id, window, limit);
        self.step("page", page).await
    }

    async fn changes(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        after: Seq,
        limit: u32,
    ) -> Result<Option<ChangesPage>, Failure> {
        let changes = self.world.history.changes(user, conversation_id, after, limit);
        let mut page = self.step("changes", changes).await?;
        if let Some(page) = &mut page {
            let unwritten = lock(&self.world.unwritten);
            page.items.retain(|m| !unwritten.contains(&(m.conversation_id, m.seq.0)));
        }
        Ok(page)
    }

    async fn ping(&self) -> Result<(), Failure> {
        self.step("ping", self.world.history.ping()).await
    }
}

#[async_trait]
impl MessageChanges for Ports {
    async fn change(&self, request: ChangeRequest) -> Result<Changed, ChangeError> {
        self.step("change", async {
            let changed = self.world.history.change(request).await?;
            if changed.recipients.is_some() {
                self.world.book.changed(&self.world, &changed.message);
            }
            Ok(changed)
        })
        .await
    }

    async fn reactors(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        seq: Seq,
        emoji: &Emoji,
        page: Page,
    ) -> Result<Option<(Vec<UserId>, Option<String>)>, PageError> {
        let reactors = self.world.history.reactors(user, conversation_id, seq, emoji, page);
        self.step("reactors", reactors).await
    }
}

#[async_trait]
impl ReceiptStore for Ports {
    async fn raise(&self, claims: &[ReceiptClaim]) -> Result<Vec<RaisedMarks>, Failure> {
        self.step("raise", async {
            let raised = self.world.history.raise(claims).await?;
            raised.iter().for_each(|marks| self.world.book.raised(&self.world, marks));
            Ok(raised)
        })
        .await
    }

    async fn standing(&self, claims: &[ReceiptClaim]) -> Result<Vec<RaisedMarks>, Failure> {
        self.step("standing", self.world.history.standing(claims)).await
    }

    async fn marks(
        &self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<Option<Vec<MemberMarks>>, Failure> {
        self.step("marks", self.world.history.marks(user, conversation_id)).await
    }
}
