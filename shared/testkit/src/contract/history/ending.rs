//! The end of an account, as the job does it.

use domain::{Timestamp, UserId};
use service::port::{Erased, Erasure, Failure, GroupChanged};

/// So many conversations a round, so that there are several.
const CONVERSATIONS_PER_ROUND: usize = 2;

/// All steps of the port, in their order: what went, and what each conversation is without them.
pub async fn erase_all(
    port: &dyn Erasure,
    user: UserId,
    now: Timestamp,
) -> Result<(Erased, Vec<GroupChanged>), Failure> {
    let mut erased = port.end_account(user, now).await?;
    let mut changes = vec![];
    loop {
        let round = port.leave_some(user, CONVERSATIONS_PER_ROUND, now).await?;
        assert!(round.changes.len() <= CONVERSATIONS_PER_ROUND, "{round:?}");
        changes.extend(round.changes);
        if round.is_last {
            break;
        }
    }
    erased.rows.extend(port.empty_memberships(user).await?);
    Ok((erased, changes))
}
