//! What holds when several people change one group at once.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

mod people;
mod support;

use std::time::Duration;

use domain::{EventType, GroupRefusal, InviteId, Role, Seq, UserId};
use people::{People, at, digest, says};
use postgres::{PgErasure, PgGroups, PgMessages, PgReceipts};
use service::port::{
    GroupChange, GroupEdit, GroupError, InviteRefusal, InviteStore, MessageStore, NewInvite,
    ReceiptClaim, ReceiptStore, Verdict,
};
use testkit::contract::history::ending::erase_all;
use uuid::Uuid;

const ROUNDS: u128 = 10;

fn set_role(user_id: UserId, role: Role) -> GroupChange {
    GroupChange::SetRole { user_id, role }
}

fn refusal(error: GroupError) -> GroupRefusal {
    match error {
        GroupError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_owners_who_demote_each_other_at_once_one_is_refused() {
    let all = People::new(2).await;
    let [ada, bob] = [all.id(0), all.id(1)];
    for round in 0..ROUNDS {
        let group = all.group(round, ada, &[bob]).await;
        all.change(group, ada, set_role(bob, Role::Owner)).await.unwrap();
        let (one, other) = tokio::join!(
            all.change(group, ada, set_role(bob, Role::Member)),
            all.change(group, bob, set_role(ada, Role::Member)),
        );
        assert_ne!(one.is_ok(), other.is_ok());
        let refused = one.err().or(other.err()).unwrap();
        assert_eq!(refusal(refused), GroupRefusal::NotAllowed);
        assert_eq!(all.owners(group).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_owners_who_go_at_once_the_last_one_stays() {
    let all = People::new(3).await;
    let [ada, bob] = [all.id(0), all.id(1)];
    for round in 0..ROUNDS {
        let group = all.group(round, ada, &[bob, all.id(2)]).await;
        all.change(group, ada, set_role(bob, Role::Owner)).await.unwrap();
        let (one, other) = tokio::join!(
            all.change(group, ada, GroupChange::Leave),
            all.change(group, bob, set_role(bob, Role::Admin)),
        );
        assert_ne!(one.is_ok(), other.is_ok());
        let refused = one.err().or(other.err()).unwrap();
        assert_eq!(refusal(refused), GroupRefusal::LastOwner);
        assert_eq!(all.owners(group).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_use_of_an_invite_taken_twice_at_once_is_taken_once() {
    let all = People::new(3).await;
    for round in 0..ROUNDS {
        let group = all.group(round, all.id(0), &[]).await;
        let digest = digest(round);
        let invite = NewInvite {
            id: InviteId(Uuid::from_u128(0x1000 + round)),
            conversation_id: group,
            creator_id: all.id(0),
            digest: digest.clone(),
            max_uses: Some(1),
            expires_at: at().plus(Duration::from_secs(60)),
            created_at: at(),
        };
        PgGroups::new(all.database()).create(invite).await.unwrap();
        let join = || GroupChange::Join { digest: digest.clone() };
        let (one, other) = tokio::join!(
            all.change(group, all.id(1), join()),
            all.change(group, all.id(2), join()),
        );
        assert_ne!(one.is_ok(), other.is_ok());
        let refused = one.err().or(other.err()).unwrap();
        assert!(matches!(refused, GroupError::Invite(InviteRefusal::UsedUp)), "{refused:?}");
        let invites = PgGroups::new(all.database()).list(all.id(0), group, at()).await.unwrap();
        assert_eq!(invites[0].uses, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_place_in_a_group_is_taken_once() {
    let all = People::new(1_001).await;
    let most: Vec<_> = (1..999).map(|number| all.id(number)).collect();
    let group = all.group(0, all.id(0), &most).await;
    let add = |number| GroupChange::Add(vec![all.id(number)]);
    let (one, other) = tokio::join!(
        all.change(group, all.id(0), add(999)),
        all.change(group, all.id(0), add(1_000)),
    );
    assert_ne!(one.is_ok(), other.is_ok());
    assert!(matches!(one.err().or(other.err()), Some(GroupError::Full)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_sent_while_its_sender_is_removed_is_stored_before_that_or_refused() {
    let all = People::new(2).await;
    let [ada, bob] = [all.id(0), all.id(1)];
    for round in 0..ROUNDS {
        let group = all.group(round, ada, &[bob]).await;
        let messages = PgMessages::new(all.database());
        let batch = [says(group, bob, 0x5000 + round)];
        let (removed, sent) = tokio::join!(
            all.change(group, ada, GroupChange::Remove(bob)),
            messages.append(&batch),
        );
        let told = removed.unwrap().messages.remove(0);
        assert_eq!(told.event.unwrap().event_type, EventType::MemberRemoved);
        match &sent.unwrap().appended[0].verdict {
            Verdict::Stored(message) => assert_eq!((message.seq, told.seq), (Seq(2), Seq(3))),
            Verdict::Rejected(_) => assert_eq!(told.seq, Seq(2)),
            Verdict::Known(_) => panic!("it was sent once"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_a_group_never_deadlock_with_receipts_of_its_members() {
    let all = People::new(40).await;
    let others: Vec<_> = (1..40).map(|number| all.id(number)).collect();
    for round in 0..ROUNDS {
        let group = all.group(round, all.id(0), &others).await;
        let claims: Vec<_> = (0..40)
            .rev()
            .map(|number| ReceiptClaim {
                conversation_id: group,
                user_id: all.id(number),
                delivered: Some(Seq(1)),
                read: Some(Seq(1)),
            })
            .collect();
        let receipts = PgReceipts::new(all.database());
        let again = PgReceipts::new(all.database());
        let edit = GroupChange::Edit(GroupEdit { shares_history: Some(true), ..<_>::default() });
        let (one, other, edited, deleted) = tokio::join!(
            receipts.raise(&claims),
            again.raise(&claims),
            all.change(group, all.id(0), edit),
            all.change(group, all.id(0), GroupChange::Delete),
        );
        one.unwrap();
        other.unwrap();
        assert!(matches!(edited, Ok(_) | Err(GroupError::NotAMember)));
        assert_eq!(deleted.unwrap().gone.len(), 40);
    }
}

/// Receipts lock members in the order of their keys; whoever holds a greater one and waits for a
/// smaller one may deadlock with them. Here somebody has the smaller one, as a batch of receipts
/// has it, and must still get the greater one while the group loses its owner and finds another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_vanishes_takes_no_row_before_a_smaller_one() {
    let all = People::new(4).await;
    for (round, owner, heir) in [(0, 0, 1), (1, 3, 2)] {
        let group = all.group(round, all.id(owner), &[all.id(heir)]).await;
        let (smaller, greater) = (all.id(owner.min(heir)), all.id(owner.max(heir)));
        let mut client = all.connect().await;
        let receipts = client.transaction().await.unwrap();
        let lock = "SELECT FROM members WHERE conversation_id = $1 AND user_id = $2
            FOR NO KEY UPDATE";
        receipts.query(lock, &[&group.0, &smaller.0]).await.unwrap();
        let erasure = PgErasure::new(all.database());
        let user = all.id(owner);
        let erased = tokio::spawn(async move { erase_all(&erasure, user, at()).await });
        all.until_somebody_waits_for_a_lock().await;
        let nowait = format!("{lock} NOWAIT");
        receipts.query(&nowait, &[&group.0, &greater.0]).await.expect("nobody has it");
        receipts.commit().await.unwrap();
        erased.await.unwrap().unwrap();
        assert_eq!(all.owners(group).await, 1);
    }
}
