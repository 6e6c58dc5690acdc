//! What follows the commit of a change of who is in a conversation: the copies that admit what
//! people say there, and the word of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::UserId;
use tokio::time::{Instant, timeout_at};

use crate::Announcement;
use crate::delivery::enqueue;
use crate::port::{FanOutQueue, MembershipCopies, MembershipCopy, Upkeep};

/// From the beginning of a request: then no more copies are written, and everybody is told. A
/// function has ten seconds, and those of a crowd, on a slow day, take longer. What the commit
/// took is not there for the copies.
const COPIES_UNTIL: Duration = Duration::from_secs(6);
/// From the beginning of a request: then who made the change is answered, told or not.
const TOLD_UNTIL: Duration = Duration::from_secs(8);
/// Copies that are written together: so many are written again for one that fails.
pub(crate) const COPIES_AT_ONCE: usize = 50;

/// Writes copies and tells people, after the commit. What it does not get done is owed in the
/// outbox, and done by the sweep.
#[derive(Clone)]
pub struct Telling {
    pub copies: Arc<dyn MembershipCopies>,
    pub upkeep: Arc<dyn Upkeep>,
    pub fan_out: Arc<dyn FanOutQueue>,
}

impl Telling {
    /// Answers who is in and has no copy of it yet. They are not told either: what they said would
    /// be refused. A copy is confirmed when it is written and told of, not before. `begun`: the
    /// request that all this belongs to.
    pub(crate) async fn follow(
        &self,
        begun: Instant,
        copies: &[MembershipCopy],
        announcements: Vec<Announcement>,
    ) -> BTreeSet<UserId> {
        let (written, owed) = copies.split_at(self.write(begun + COPIES_UNTIL, copies).await);
        let outside: BTreeSet<_> =
            owed.iter().filter(|copy| copy.is_active).map(|copy| copy.user_id).collect();
        let to_tell = announcements.into_iter().map(|one| one.without(&outside)).collect();
        if timeout_at(begun + TOLD_UNTIL, self.tell(to_tell, written)).await.is_err() {
            tracing::warn!("too slow: the sweep tells who came and went");
        }
        outside
    }

    async fn tell(&self, news: Vec<Announcement>, written: &[MembershipCopy]) {
        if let Err(failure) = enqueue(&*self.fan_out, news).await {
            tracing::warn!(error = %failure, "the sweep tells who came and went");
        } else if let Err(failure) = self.upkeep.confirm_copies(written).await {
            tracing::warn!(error = %failure, "the sweep writes these copies again");
        }
    }

    /// Answers how many are written, from the first on.
    async fn write(&self, until: Instant, copies: &[MembershipCopy]) -> usize {
        let mut written = 0;
        for some in copies.chunks(COPIES_AT_ONCE) {
            let owed = copies.len() - written;
            match timeout_at(until, self.copies.write(some)).await {
                Ok(Ok(())) => written += some.len(),
                Ok(Err(failure)) => {
                    tracing::warn!(error = %failure, owed, "the sweep writes these copies");
                    break;
                }
                Err(_) => {
                    tracing::warn!(owed, "too slow: the sweep writes the rest of these copies");
                    break;
                }
            }
        }
        written
    }
}
