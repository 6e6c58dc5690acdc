//! The worker that runs each minute and repairs what a crash or a lost push left behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{ConversationId, Seq, UserId, limits};

use crate::delivery::enqueue;
use crate::port::{Failure, MembershipCopies, MembershipCopy, Straggler, Upkeep};
use crate::telling::COPIES_AT_ONCE;
use crate::{Announcement, Delivery, Event, Recipient};

/// Nudges who is behind, repairs membership copies, forgets old traces and what ended long ago.
#[derive(Clone)]
pub struct Sweep {
    pub upkeep: Arc<dyn Upkeep>,
    pub copies: Arc<dyn MembershipCopies>,
    pub delivery: Delivery,
    pub nudge_after: Duration,
}

/// What one sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    pub nudged: usize,
    pub copies_repaired: usize,
    pub traces_forgotten: u64,
    /// Sessions, tokens of mails, invites.
    pub ended_forgotten: u64,
}

impl Sweep {
    /// Does all four, whichever of them fails; the first failure is the answer.
    pub async fn run(&self) -> Result<Swept, Failure> {
        let nudged = self.nudge().await;
        let repaired = self.repair_copies().await;
        let traces = self.forget_traces().await;
        let ended = self.forget_ended().await;
        let swept = Swept {
            nudged: nudged?,
            copies_repaired: repaired?,
            traces_forgotten: traces?,
            ended_forgotten: ended?,
        };
        tracing::info!(
            nudged = swept.nudged,
            copies_repaired = swept.copies_repaired,
            traces_forgotten = swept.traces_forgotten,
            ended_forgotten = swept.ended_forgotten,
            "swept"
        );
        Ok(swept)
    }

    /// Only who is online hears it; who is not will fetch on connecting.
    async fn nudge(&self) -> Result<usize, Failure> {
        let behind = self.upkeep.stragglers(self.nudge_after, limits::SWEEP_BATCH).await?;
        let count = behind.len();
        let mut by_conversation: BTreeMap<(ConversationId, Seq), Vec<UserId>> = BTreeMap::new();
        for Straggler { conversation_id, user_id, last_seq } in behind {
            by_conversation.entry((conversation_id, last_seq)).or_default().push(user_id);
        }
        let nudge = |((conversation_id, last_seq), users): (_, Vec<UserId>)| {
            let recipients = users.into_iter().map(Recipient::from_the_start).collect();
            Announcement::new(Event::Nudge { conversation_id, last_seq }, recipients)
        };
        self.delivery.announce(by_conversation.into_iter().map(nudge).collect()).await?;
        Ok(count)
    }

    async fn repair_copies(&self) -> Result<usize, Failure> {
        let missing = self.upkeep.unconfirmed_copies(limits::SWEEP_BATCH).await?;
        if missing.is_empty() {
            return Ok(0);
        }
        // A part that cannot be written keeps the others from nothing.
        let (mut repaired, mut failed) = (0, None);
        for some in missing.chunks(COPIES_AT_ONCE) {
            match self.repair(some).await {
                Ok(()) => repaired += some.len(),
                Err(failure) => {
                    tracing::warn!(error = %failure, copies = some.len(), "not repaired");
                    failed.get_or_insert(failure);
                }
            }
        }
        failed.map_or(Ok(repaired), Err)
    }

    /// A copy that is owed is a person who may not have been told: it is confirmed after that.
    async fn repair(&self, copies: &[MembershipCopy]) -> Result<(), Failure> {
        self.copies.write(copies).await?;
        enqueue(&*self.delivery.fan_out, news_of(copies)).await?;
        self.upkeep.confirm_copies(copies).await
    }

    /// In rounds, each a transaction, until one finds fewer than it may take.
    async fn forget_traces(&self) -> Result<u64, Failure> {
        let mut forgotten = 0;
        for _ in 0..limits::TRACE_ROUNDS_PER_SWEEP {
            let some = self.upkeep.forget_traces(limits::TRACES_PER_ROUND).await?;
            forgotten += some;
            if some < limits::TRACES_PER_ROUND as u64 {
                break;
            }
        }
        Ok(forgotten)
    }

    /// The same, of what nobody can use any more.
    async fn forget_ended(&self) -> Result<u64, Failure> {
        let before = self.delivery.clock.now().minus(limits::ENDED_LIFETIME);
        let mut forgotten = 0;
        for _ in 0..limits::ENDED_ROUNDS_PER_SWEEP {
            let some = self.upkeep.forget_ended(before, limits::ENDED_PER_ROUND).await?;
            forgotten += some;
            if some < limits::ENDED_PER_ROUND as u64 {
                break;
            }
        }
        Ok(forgotten)
    }
}

/// To who is in, how far it has got; to who is out, that they are. It may be late, and either
/// leads to nothing but a fetch.
fn news_of(copies: &[MembershipCopy]) -> Vec<Announcement> {
    let mut news: BTreeMap<(ConversationId, Option<Seq>), Vec<Recipient>> = BTreeMap::new();
    for copy in copies {
        let last_seq = copy.is_active.then_some(copy.version);
        let recipients = news.entry((copy.conversation_id, last_seq)).or_default();
        recipients.push(Recipient::from_the_start(copy.user_id));
    }
    let announcement = |((conversation_id, last_seq), recipients)| {
        let event = match last_seq {
            Some(last_seq) => Event::Nudge { conversation_id, last_seq },
            None => Event::ConversationRemoved { conversation_id },
        };
        Announcement::new(event, recipients)
    };
    news.into_iter().map(announcement).collect()
}
