//! `ReceiptStore`.

use std::collections::BTreeSet;

use domain::{ConversationId, Marks, Seq, UserId, limits};
use service::port::{RaisedMarks, ReceiptClaim};
use service::{MemberMarks, Recipient};
use tokio::task::JoinSet;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

fn marks(delivered: i64, read: i64) -> Marks {
    Marks { delivered: Seq(delivered), read: Seq(read) }
}

/// Ada's group with Bob, and her messages 2 to 5 in it.
async fn four_messages(fixture: &dyn HistoryFixture) -> (HistoryPorts, ConversationId) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    ada_says(&ports, id, 1..=4).await;
    (ports, id)
}

/// As the member themselves sees them.
async fn own_marks(ports: &HistoryPorts, id: ConversationId, user: UserId) -> Marks {
    let all = ports.receipts.marks(user, id).await.expect("reads").expect("a member");
    all.iter().find(|one| one.user_id == user).expect("oneself").marks
}

async fn raise_one(ports: &HistoryPorts, claim: ReceiptClaim) -> RaisedMarks {
    let mut raised = raise(ports, &[claim]).await;
    assert_eq!(raised.len(), 1);
    raised.remove(0)
}

fn people(recipients: &[Recipient]) -> BTreeSet<UserId> {
    recipients.iter().map(|one| one.user_id).collect()
}

pub async fn marks_rise_and_never_go_back(fixture: &dyn HistoryFixture) {
    let (ports, id) = four_messages(fixture).await;
    let raised = raise_one(&ports, delivered(id, BOB, 3)).await;
    assert_eq!((raised.conversation_id, raised.user_id), (id, BOB));
    assert_eq!((raised.before, raised.after), (marks(0, 0), marks(3, 0)));
    assert_eq!(raised.shown, MemberMarks { user_id: BOB, marks: marks(3, 0) });
    let raised = raise_one(&ports, read(id, BOB, 2)).await;
    assert_eq!((raised.before, raised.after), (marks(3, 0), marks(3, 2)));
    for late in [delivered(id, BOB, 3), delivered(id, BOB, 1), read(id, BOB, 2), read(id, BOB, 1)] {
        assert_eq!(raise(&ports, &[late]).await, []);
    }
    assert_eq!(own_marks(&ports, id, BOB).await, marks(3, 2));
}

pub async fn of_a_batch_that_comes_again_the_authors_of_all_that_is_covered_are_known(
    fixture: &dyn HistoryFixture,
) {
    let (ports, id) = four_messages(fixture).await;
    let claims = [read(id, BOB, 2), read(id, BOB, 4), delivered(id, CLEO, 4)];
    raise(&ports, &claims).await;
    for _ in 0..2 {
        let standing = ports.receipts.standing(&claims).await.expect("reads");
        assert_eq!(standing.len(), 1, "each member once, and strangers not");
        let bob = &standing[0];
        assert_eq!((bob.conversation_id, bob.user_id), (id, BOB));
        assert_eq!((bob.before, bob.after), (marks(4, 4), marks(4, 4)));
        assert_eq!(bob.shown, MemberMarks { user_id: BOB, marks: marks(4, 4) });
        assert_eq!(people(&bob.authors), BTreeSet::from([ADA]));
    }
    assert_eq!(ports.receipts.standing(&[]).await.expect("reads"), []);
    let own = ports.receipts.standing(&[read(id, ADA, 5)]).await.expect("reads");
    assert!(own[0].authors.is_empty(), "nobody is told of oneself");
}

pub async fn reading_raises_what_was_delivered(fixture: &dyn HistoryFixture) {
    let (ports, id) = four_messages(fixture).await;
    let raised = raise_one(&ports, read(id, BOB, 4)).await;
    assert_eq!((raised.before, raised.after), (marks(0, 0), marks(4, 4)));
}

/// A delivery that is recorded after the reading must not overwrite it.
pub async fn a_delivery_never_lowers_what_was_read(fixture: &dyn HistoryFixture) {
    let (ports, id) = four_messages(fixture).await;
    raise_one(&ports, read(id, BOB, 3)).await;
    let raised = raise_one(&ports, delivered(id, BOB, 5)).await;
    assert_eq!((raised.before, raised.after), (marks(3, 3), marks(5, 3)));
    assert_eq!(raise(&ports, &[delivered(id, BOB, 2)]).await, []);
    assert_eq!(own_marks(&ports, id, BOB).await, marks(5, 3));
}

pub async fn marks_end_at_what_is_written(fixture: &dyn HistoryFixture) {
    let (ports, id) = four_messages(fixture).await;
    for nothing in [read(id, BOB, 0), read(id, BOB, -1), delivered(id, BOB, i64::MIN)] {
        assert_eq!(raise(&ports, &[nothing]).await, []);
    }
    let raised = raise_one(&ports, delivered(id, BOB, i64::MAX)).await;
    assert_eq!(raised.after, marks(5, 0));
    let raised = raise_one(&ports, read(id, BOB, 6)).await;
    assert_eq!(raised.after, marks(5, 5));
}

pub async fn one_batch_may_name_a_member_many_times(fixture: &dyn HistoryFixture) {
    let (ports, id) = four_messages(fixture).await;
    let both = ReceiptClaim { read: Some(Seq(1)), ..delivered(id, BOB, 2) };
    let neither = ReceiptClaim { delivered: None, ..delivered(id, BOB, 2) };
    let batch = [delivered(id, BOB, 4), read(id, BOB, 3), both, neither, delivered(id, BOB, 4)];
    let raised = raise_one_of(&ports, &batch).await;
    assert_eq!((raised.before, raised.after), (marks(0, 0), marks(4, 3)));
    assert_eq!(own_marks(&ports, id, BOB).await, marks(4, 3));
}

async fn raise_one_of(ports: &HistoryPorts, batch: &[ReceiptClaim]) -> RaisedMarks {
    let mut raised = raise(ports, batch).await;
    assert_eq!(raised.len(), 1);
    raised.remove(0)
}

pub async fn a_batch_may_be_of_many_conversations_and_people(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in 1..=3 {
        let id = open_group(&ports, number, &[BOB, CLEO]).await.conversation.id;
        ada_says(&ports, id, [number]).await;
    }
    let claim = |number, user| read(conversation_id(number), user, 2);
    let batch = [claim(3, BOB), claim(1, CLEO), claim(1, BOB), claim(2, CLEO)];
    let mut raised: Vec<_> =
        raise(&ports, &batch).await.iter().map(|one| (one.conversation_id, one.user_id)).collect();
    raised.sort();
    let place = |number, user| (conversation_id(number), user);
    assert_eq!(raised, [place(1, BOB), place(1, CLEO), place(2, CLEO), place(3, BOB)]);
    assert_eq!(own_marks(&ports, conversation_id(2), BOB).await, marks(0, 0));
    assert_eq!(raise(&ports, &[]).await, []);
}

pub async fn claims_of_who_is_no_member_are_passed_over(fixture: &dyn HistoryFixture) {
    let (ports, id) = four_messages(fixture).await;
    fixture.add_member(id, CLEO).await;
    fixture.remove_member(id, CLEO).await;
    ada_says(&ports, id, [5]).await;
    let elsewhere = conversation_id(99);
    let batch = [read(id, CLEO, 6), read(id, NOBODY, 6), read(elsewhere, BOB, 6), read(id, BOB, 6)];
    let raised = raise_one_of(&ports, &batch).await;
    assert_eq!((raised.user_id, raised.after), (BOB, marks(6, 6)));
}

pub async fn who_wrote_between_the_marks_is_told(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    let batch = [(ADA, 1), (CLEO, 2), (BOB, 3), (ADA, 4), (ADA, 5), (BOB, 6)];
    append(&ports, &batch.map(|(user, number)| says(id, user, number))).await;
    let raised = raise_one(&ports, read(id, BOB, 3)).await;
    assert_eq!(people(&raised.authors), [ADA, CLEO].into());
    assert!(raised.authors.iter().all(|author| author.joined_seq == Seq::ZERO));
    let raised = raise_one(&ports, delivered(id, BOB, 5)).await;
    assert_eq!(people(&raised.authors), [ADA].into());
    let raised = raise_one(&ports, delivered(id, BOB, 7)).await;
    assert_eq!(people(&raised.authors), [ADA].into());
    assert_eq!(raised.authors.len(), 1, "each once");
    // Delivered long ago, read now.
    let raised = raise_one(&ports, read(id, BOB, 4)).await;
    assert_eq!(raised.authors, []);
    fixture.remove_member(id, CLEO).await;
    let raised = raise_one(&ports, read(id, ADA, 7)).await;
    assert_eq!(people(&raised.authors), [BOB].into());
}

pub async fn of_many_authors_the_newest_are_told(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let people_there = crowd(&ports, 52).await;
    let id = open_group(&ports, 1, &people_there).await.conversation.id;
    let said = people_there.iter().zip(1..).map(|(user, number)| says(id, *user, number));
    append(&ports, &said.collect::<Vec<_>>()).await;
    let raised = raise_one(&ports, read(id, ADA, 53)).await;
    let newest = &people_there[people_there.len() - limits::RECEIPT_AUTHORS..];
    assert_eq!(people(&raised.authors), newest.iter().copied().collect());
}

/// A receipt must not read a whole history.
pub async fn of_who_was_away_for_long_only_the_newest_authors_are_told(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    append(&ports, &[says(id, CLEO, 1), says(id, CLEO, 2)]).await;
    let numbers: Vec<_> = (10..).take(limits::RECEIPT_MESSAGES - 1).collect();
    for some in numbers.chunks(100) {
        ada_says(&ports, id, some.iter().copied()).await;
    }
    let last = i64::try_from(numbers.len()).expect("a small number") + 3;
    let raised = raise_one(&ports, delivered(id, BOB, last)).await;
    assert_eq!(people(&raised.authors), [ADA, CLEO].into());
    ada_says(&ports, id, [9_999]).await;
    let raised = raise_one(&ports, read(id, BOB, last + 1)).await;
    assert_eq!(people(&raised.authors), [ADA].into());
}

pub async fn who_does_not_share_receipts_shows_only_what_was_delivered(
    fixture: &dyn HistoryFixture,
) {
    let (ports, id) = four_messages(fixture).await;
    fixture.add_member(id, CLEO).await;
    ada_says(&ports, id, 5..=6).await;
    for user in [BOB, CLEO] {
        shares(&ports, user, false, true).await;
    }
    let raised = raise_one(&ports, read(id, BOB, 6)).await;
    assert_eq!((raised.after, raised.shown.marks), (marks(6, 6), marks(6, 0)));
    let raised = raise_one(&ports, read(id, CLEO, 7)).await;
    assert_eq!((raised.after, raised.shown.marks), (marks(7, 7), marks(7, 5)));
    let shown_to = async |viewer| {
        let mut all = ports.receipts.marks(viewer, id).await.expect("reads").expect("a member");
        all.sort_by_key(|one| one.user_id);
        all.iter().map(|one| one.marks).collect::<Vec<_>>()
    };
    assert_eq!(shown_to(ADA).await, [marks(0, 0), marks(6, 0), marks(7, 5)]);
    assert_eq!(shown_to(BOB).await, [marks(0, 0), marks(6, 6), marks(7, 5)]);
    assert_eq!(shown_to(CLEO).await, [marks(0, 0), marks(6, 0), marks(7, 7)]);
}

/// A frame without news would tell the moment of reading all the same.
pub async fn a_reading_that_is_not_shared_tells_nobody(fixture: &dyn HistoryFixture) {
    let (ports, id) = four_messages(fixture).await;
    shares(&ports, BOB, false, true).await;
    let raised = raise_one(&ports, delivered(id, BOB, 5)).await;
    assert_eq!(people(&raised.authors), [ADA].into());
    let raised = raise_one(&ports, read(id, BOB, 5)).await;
    assert_eq!((raised.after, raised.authors), (marks(5, 5), vec![]));
}

pub async fn marks_are_of_members_and_for_members(fixture: &dyn HistoryFixture) {
    let (ports, id) = four_messages(fixture).await;
    fixture.add_member(id, CLEO).await;
    has_read(&ports, id, ADA, 5).await;
    let of = |user_id, marks| MemberMarks { user_id, marks };
    let mut all = ports.receipts.marks(BOB, id).await.expect("reads").expect("a member");
    all.sort_by_key(|one| one.user_id);
    assert_eq!(all, [of(ADA, marks(5, 5)), of(BOB, marks(0, 0)), of(CLEO, marks(5, 5))]);
    fixture.remove_member(id, BOB).await;
    for (user, id) in [(BOB, id), (NOBODY, id), (ADA, conversation_id(99))] {
        assert_eq!(ports.receipts.marks(user, id).await.expect("reads"), None);
    }
    let rest = ports.receipts.marks(ADA, id).await.expect("reads").expect("a member");
    assert_eq!(rest.len(), 2);
}

/// Four processes raise the marks of five conversations while a fifth writes there, some of them
/// in the order of the others' reversed: what locks as it goes deadlocks here.
pub async fn many_batches_of_receipts_at_once_never_deadlock(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in 0..5 {
        open_group(&ports, number, &[BOB, CLEO]).await;
        ada_says(&ports, conversation_id(number), 1..=12).await;
    }
    let mut work = JoinSet::new();
    for process in 0..4_i64 {
        let ports = fixture.process();
        work.spawn(async move {
            for round in 1..=10 {
                let claims = |number| {
                    let id = conversation_id(number);
                    let (bobs, cleos) =
                        (read(id, BOB, round), delivered(id, CLEO, round + process));
                    if process % 2 == 0 { [bobs, cleos] } else { [cleos, bobs] }
                };
                let mut batch: Vec<_> = (0..5).flat_map(claims).collect();
                if process >= 2 {
                    batch.reverse();
                }
                raise(&ports, &batch).await;
            }
        });
    }
    let writer = fixture.process();
    work.spawn(async move {
        for round in 0..10_u128 {
            let say = |number| says(conversation_id(number), BOB, 100 + round);
            append(&writer, &(0..5).rev().map(say).collect::<Vec<_>>()).await;
        }
    });
    while let Some(done) = work.join_next().await {
        done.expect("work that ends well");
    }
    for number in 0..5 {
        assert_eq!(own_marks(&ports, conversation_id(number), BOB).await, marks(10, 10));
        assert_eq!(own_marks(&ports, conversation_id(number), CLEO).await, marks(13, 0));
    }
}
