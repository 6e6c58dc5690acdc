//! Ports that write down what is asked of them, and fail or hang where a test says so.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ClientId, ConversationId, Seq, UserId};
use service::port::{
    AppendError, ChangesPage, Commit, Failure, FanOutJob, FanOutQueue, MembershipCopies,
    MembershipCopy, MessageStore, PersistLane, Quarantined, Receipt, Submission,
};
use service::{Archive, MessagePage, Telling, Window};
use testkit::world::World;

/// Copies that nobody can write.
pub struct Unwritable;

#[async_trait]
impl MembershipCopies for Unwritable {
    async fn write(&self, _: &[MembershipCopy]) -> Result<(), Failure> {
        Err(Failure::unavailable("dynamodb", "a test writes none"))
    }
}

/// Copies that are never written, and a queue that never takes anything.
pub struct Stuck;

#[async_trait]
impl MembershipCopies for Stuck {
    async fn write(&self, _: &[MembershipCopy]) -> Result<(), Failure> {
        std::future::pending().await
    }
}

#[async_trait]
impl FanOutQueue for Stuck {
    async fn enqueue(&self, _: Vec<FanOutJob>) -> Result<(), Failure> {
        std::future::pending().await
    }
}

/// The same, with copies that cannot be written.
pub fn unwritable(telling: &Telling) -> Telling {
    Telling { copies: Arc::new(Unwritable), ..telling.clone() }
}

/// One step that the archive asked for. Messages are named by their `client_id` as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Append(Vec<u128>),
    Delete(Vec<String>),
    Defer(Vec<String>, u32),
    Quarantine,
}

/// The history and the lane of a world, watched.
pub struct Watched {
    world: Arc<World>,
    steps: Mutex<Vec<Step>>,
    hanging: Mutex<BTreeSet<ClientId>>,
    unreachable: Mutex<BTreeSet<ConversationId>>,
    refuses_quarantine: Mutex<bool>,
}

impl Watched {
    pub fn new(world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            steps: Mutex::default(),
            hanging: Mutex::default(),
            unreachable: Mutex::default(),
            refuses_quarantine: Mutex::default(),
        })
    }

    pub fn archive(self: &Arc<Self>) -> Archive {
        Archive { lane: self.clone(), ..self.world.archive_over(self.clone()) }
    }

    /// A batch with this message never returns, or does again.
    pub fn hang(&self, message: u128, hangs: bool) {
        let id = testkit::world::client_id(message);
        let mut hanging = self.hanging.lock().unwrap();
        if hangs {
            hanging.insert(id)
        } else {
            hanging.remove(&id)
        };
    }

    /// A batch with a message of this conversation cannot be written now, or can again.
    pub fn lose(&self, conversation: ConversationId, is_lost: bool) {
        let mut unreachable = self.unreachable.lock().unwrap();
        if is_lost {
            unreachable.insert(conversation)
        } else {
            unreachable.remove(&conversation)
        };
    }

    pub fn refuse_quarantine(&self) {
        *self.refuses_quarantine.lock().unwrap() = true;
    }

    /// Everything since the last look.
    pub fn steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.steps.lock().unwrap())
    }

    fn note(&self, step: Step) {
        self.steps.lock().unwrap().push(step);
    }
}

fn names(receipts: &[Receipt]) -> Vec<String> {
    receipts.iter().map(|receipt| receipt.message_id.clone()).collect()
}

#[async_trait]
impl MessageStore for Watched {
    async fn append(&self, submissions: &[Submission]) -> Result<Commit, AppendError> {
        let number = |one: &Submission| one.draft.client_id.0.as_u128();
        self.note(Step::Append(submissions.iter().map(number).collect()));
        let is_lost =
            |one: &Submission| self.unreachable.lock().unwrap().contains(&one.conversation_id);
        if submissions.iter().any(is_lost) {
            return Err(AppendError::Transient("a test lost the connection".into()));
        }
        let hangs = |one: &Submission| self.hanging.lock().unwrap().contains(&one.draft.client_id);
        if submissions.iter().any(hangs) {
            std::future::pending::<()>().await;
        }
        // As a real one: no answer without waiting for it.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.world.history.append(submissions).await
    }

    async fn page(
        &self,
        user: UserId,
        id: ConversationId,
        window: Window,
        limit: u32,
    ) -> Result<Option<MessagePage>, Failure> {
        self.world.history.page(user, id, window, limit).await
    }

    async fn changes(
        &self,
        user: UserId,
        id: ConversationId,
        after: Seq,
        limit: u32,
    ) -> Result<Option<ChangesPage>, Failure> {
        self.world.history.changes(user, id, after, limit).await
    }

    async fn ping(&self) -> Result<(), Failure> {
        self.world.history.ping().await
    }
}

#[async_trait]
impl PersistLane for Watched {
    async fn delete(&self, receipts: &[Receipt]) -> Result<(), Failure> {
        self.note(Step::Delete(names(receipts)));
        self.world.queues.delete(receipts).await
    }

    async fn defer(&self, receipts: &[Receipt], seconds: u32) -> Result<(), Failure> {
        self.note(Step::Defer(names(receipts), seconds));
        self.world.queues.defer(receipts, seconds).await
    }

    async fn quarantine(&self, job: Quarantined) -> Result<(), Failure> {
        if *self.refuses_quarantine.lock().unwrap() {
            return Err(Failure::unavailable("sqs", "a test refuses the quarantine"));
        }
        self.note(Step::Quarantine);
        self.world.queues.quarantine(job).await
    }
}
