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

/// What writing the copies may take before everybody is told, and who made the change is answered:
/// those of a crowd, on a slow day, take longer than the function has.
const COPIES_BUDGET: Duration = Duration::from_secs(4);
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
    /// be refused. A copy is confirmed when it is written and told of, not before.
    pub(crate) async fn follow(
        &self,
        copies: &[MembershipCopy],
        announcements: Vec<Announcement>,
    ) -> BTreeSet<UserId> {
        let (written, owed) = copies.split_at(self.write(copies).await);
        let outside: BTreeSet<_> =
            owed.iter().filter(|copy| copy.is_active).map(|copy| copy.user_id).collect();
        let to_tell = announcements.into_iter().map(|one| one.without(&outside)).collect();
        if let Err(failure) = enqueue(&*self.fan_out, to_tell).await {
            tracing::warn!(error = %failure, "the sweep tells who came and went");
        } else if let Err(failure) = self.upkeep.confirm_copies(written).await {
            tracing::warn!(error = %failure, "the sweep writes these copies again");
        }
        outside
    }

    /// Answers how many are written, from the first on.
    async fn write(&self, copies: &[MembershipCopy]) -> usize {
        let until = Instant::now() + COPIES_BUDGET;
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
