//! `MessageChanges`: edits, deletions and pins.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use domain::{Change, ChangeRefusal, ConversationId, Mention, Message, Seq, UserId};
use service::port::{ChangeError, Changed};
use service::{Recipient, Window};
use tokio::task::JoinSet;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

/// Ada's group with Bob; the messages 2 and 3 are Ada's, 4 is Bob's.
async fn a_talk(fixture: &dyn HistoryFixture) -> (HistoryPorts, ConversationId) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    append(&ports, &[says(id, ADA, 1), says(id, ADA, 2), says(id, BOB, 3)]).await;
    (ports, id)
}

async fn message(ports: &HistoryPorts, user: UserId, id: ConversationId, seq: i64) -> Message {
    let page = ports.messages.page(user, id, Window::After(Seq(seq - 1)), 1).await.expect("reads");
    page.expect("a member").items.remove(0)
}

async fn last_seq(ports: &HistoryPorts, id: ConversationId) -> i64 {
    conversation(ports, ADA, id).await.last_seq.0
}

async fn refusal(
    ports: &HistoryPorts,
    user: UserId,
    id: ConversationId,
    seq: i64,
    wish: Change,
) -> ChangeRefusal {
    match change(ports, user, id, seq, wish).await {
        Err(ChangeError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn rewording() -> Change {
    Change::edit(text("reworded"), Vec::new()).expect("an edit")
}

pub async fn an_edit_takes_the_next_number(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let before = message(&ports, ADA, id, 2).await;
    let mentions = vec![Mention { user_id: BOB, start: 0, length: 3 }];
    let wish = Change::edit(text("Bob 🚂 '; --"), mentions.clone()).expect("an edit");
    let Changed { message: edited, recipients } =
        change(&ports, ADA, id, 2, wish).await.expect("edits");
    let expected = Message {
        rev: Seq(5),
        text: Some(text("Bob 🚂 '; --")),
        mentions,
        edited_at: Some(at(20)),
        ..before
    };
    assert_eq!(edited, expected);
    let all = [ADA, BOB].map(|user_id| Recipient { user_id, joined_seq: Seq::ZERO });
    assert_eq!(recipients.expect("a change"), all);
    for user in [ADA, BOB] {
        assert_eq!(message(&ports, user, id, 2).await, expected);
    }
    assert_eq!(last_seq(&ports, id).await, 5);
    assert_eq!(seqs(&append(&ports, &[says(id, BOB, 4)]).await), [Some(6)]);
}

pub async fn what_changes_nothing_takes_no_number(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let before = message(&ports, ADA, id, 2).await;
    let same = Change::edit(text("message 1"), Vec::new()).expect("an edit");
    for wish in [same, Change::Unpin, Change::Unreact(emoji("👍"))] {
        let unchanged = change(&ports, ADA, id, 2, wish).await.expect("nothing to do");
        assert_eq!(unchanged, Changed { message: before.clone(), recipients: None });
    }
    assert_eq!(last_seq(&ports, id).await, 4);
    assert_eq!(message(&ports, ADA, id, 2).await, before);
}

pub async fn a_deletion_leaves_a_tombstone(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let before = message(&ports, ADA, id, 2).await;
    let mentions = vec![Mention { user_id: BOB, start: 0, length: 3 }];
    let named = Change::edit(text("Bob!"), mentions).expect("an edit");
    for wish in [named, Change::Pin, Change::React(emoji("👍"))] {
        change(&ports, ADA, id, 2, wish).await.expect("changes");
    }
    let deleted = delete(&ports, ADA, id, 2).await;
    let tombstone = Message {
        rev: Seq(8),
        text: None,
        edited_at: Some(at(20)),
        deleted_at: Some(at(20)),
        ..before
    };
    assert_eq!((&deleted.message, deleted.recipients.is_some()), (&tombstone, true));
    assert_eq!(message(&ports, BOB, id, 2).await, tombstone);
    let reactors = ports.changes.reactors(BOB, id, Seq(2), &emoji("👍"), page(None, 5)).await;
    assert_eq!(reactors.expect("reads").expect("a message").0, []);
}

pub async fn a_tombstone_does_not_change_any_more(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let tombstone = delete(&ports, ADA, id, 2).await.message;
    for wish in [rewording(), Change::Pin, Change::React(emoji("👍"))] {
        let refused = refusal(&ports, ADA, id, 2, wish).await;
        assert_eq!(refused, ChangeRefusal::MessageDeleted);
    }
    for wish in [Change::Delete, Change::Unpin, Change::Unreact(emoji("👍"))] {
        let unchanged = change(&ports, ADA, id, 2, wish).await.expect("nothing to do");
        assert_eq!(unchanged, Changed { message: tombstone.clone(), recipients: None });
    }
    assert_eq!(last_seq(&ports, id).await, 5);
}

pub async fn writers_edit_and_leaders_also_delete_and_pin(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let refused = [
        (BOB, 2, rewording()),
        (BOB, 2, Change::Delete),
        (BOB, 2, Change::Pin),
        (BOB, 4, Change::Pin),
        (ADA, 4, rewording()),
    ];
    for (user, seq, wish) in refused {
        let refused = refusal(&ports, user, id, seq, wish).await;
        assert_eq!(refused, ChangeRefusal::NotAllowed);
    }
    assert_eq!(last_seq(&ports, id).await, 4);
    let allowed = [(BOB, 4, rewording()), (ADA, 4, Change::Pin), (ADA, 4, Change::Delete)];
    for (rev, (user, seq, wish)) in (5..).zip(allowed) {
        let changed = change(&ports, user, id, seq, wish).await.expect("changes");
        assert_eq!(changed.message.rev, Seq(rev));
    }
}

pub async fn in_a_direct_conversation_both_pin_and_each_deletes_their_own(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    let pinned = change(&ports, BOB, id, 1, Change::Pin).await.expect("pins");
    assert!(pinned.message.pinned);
    let again = change(&ports, ADA, id, 1, Change::Pin).await.expect("nothing to do");
    assert_eq!(again, Changed { message: pinned.message, recipients: None });
    assert_eq!(refusal(&ports, BOB, id, 1, Change::Delete).await, ChangeRefusal::NotAllowed);
    let unpinned = change(&ports, ADA, id, 1, Change::Unpin).await.expect("unpins");
    assert_eq!((unpinned.message.pinned, unpinned.message.rev), (false, Seq(3)));
    assert_eq!(unpinned.message.edited_at, None);
}

/// What was written before the block would otherwise be a way around it.
pub async fn behind_a_block_one_only_deletes_what_one_wrote(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for (blocker, blocked) in [(ADA, BOB), (CLEO, ADA)] {
        let other = if blocker == ADA { blocked } else { blocker };
        let id = open_direct(&ports, ADA, other).await.conversation.id;
        ada_says(&ports, id, [1, 2]).await;
        for wish in [Change::Pin, Change::React(emoji("👍"))] {
            change(&ports, ADA, id, 1, wish).await.expect("changes");
        }
        fixture.block(blocker, blocked).await;
        let wishes = [
            (ADA, 1, rewording()),
            (ADA, 2, Change::React(emoji("👍"))),
            (ADA, 1, Change::Unreact(emoji("👍"))),
            (ADA, 2, Change::Pin),
            (other, 1, Change::Unpin),
            (other, 1, Change::React(emoji("👍"))),
            (other, 1, Change::Delete),
        ];
        for (user, seq, wish) in wishes {
            let refused = refusal(&ports, user, id, seq, wish).await;
            assert_eq!(refused, ChangeRefusal::NotAllowed);
        }
        assert_eq!(last_seq(&ports, id).await, 4);
        assert_eq!(delete(&ports, ADA, id, 1).await.message.rev, Seq(5));
    }
}

pub async fn a_block_does_not_matter_to_changes_in_a_group(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    fixture.block(ADA, BOB).await;
    let wishes = [(BOB, 4, rewording()), (BOB, 2, Change::React(emoji("👍")))];
    for (user, seq, wish) in wishes {
        change(&ports, user, id, seq, wish).await.expect("changes");
    }
}

pub async fn an_edit_mentions_only_who_is_or_was_a_member(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    open_group(&ports, 2, &[CLEO]).await;
    fixture.remove_member(id, BOB).await;
    let naming = |people: &[UserId]| {
        let mention = |user_id: &UserId| Mention { user_id: *user_id, start: 0, length: 1 };
        Change::edit(text("you"), people.iter().map(mention).collect()).expect("an edit")
    };
    for strangers in [&[CLEO][..], &[ADA, NOBODY], &[NOBODY]] {
        let outcome = change(&ports, ADA, id, 2, naming(strangers)).await;
        assert!(matches!(outcome, Err(ChangeError::InvalidMention)), "{outcome:?}");
    }
    assert_eq!(last_seq(&ports, id).await, 4);
    let edited = change(&ports, ADA, id, 2, naming(&[BOB, ADA, BOB])).await.expect("edits");
    assert_eq!(edited.message.mentions.len(), 3);
    // Who may not do it at all hears nothing of who is a member.
    let refused = refusal(&ports, ADA, id, 4, naming(&[CLEO])).await;
    assert_eq!(refused, ChangeRefusal::NotAllowed);
}

pub async fn what_the_server_wrote_stays_as_it_is(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let wishes = [rewording(), Change::Delete, Change::Pin, Change::React(emoji("👍"))];
    for wish in wishes {
        assert_eq!(refusal(&ports, ADA, id, 1, wish).await, ChangeRefusal::NotAllowed);
    }
}

pub async fn what_is_no_message_is_not_changed(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    // Takes the number 5, which is nobody's place in the history.
    edit(&ports, ADA, id, 2, "edited").await;
    for seq in [5, 6, 0, -1, i64::MAX, i64::MIN] {
        let outcome = change(&ports, ADA, id, seq, Change::Pin).await;
        assert!(matches!(outcome, Err(ChangeError::NoSuchMessage)), "{seq}: {outcome:?}");
    }
    assert_eq!(last_seq(&ports, id).await, 5);
}

pub async fn who_is_no_member_changes_nothing(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    fixture.remove_member(id, BOB).await;
    let strangers = [(BOB, id), (CLEO, id), (NOBODY, id), (ADA, conversation_id(99))];
    for (user, id) in strangers {
        let outcome = change(&ports, user, id, 4, Change::React(emoji("👍"))).await;
        assert!(matches!(outcome, Err(ChangeError::NotAMember)), "{outcome:?}");
    }
    assert_eq!(last_seq(&ports, id).await, 4);
}

pub async fn who_joined_later_changes_only_what_came_since(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    fixture.add_member(id, CLEO).await;
    ada_says(&ports, id, [4]).await;
    for seq in [1, 4] {
        let outcome = change(&ports, CLEO, id, seq, Change::React(emoji("👍"))).await;
        assert!(matches!(outcome, Err(ChangeError::NoSuchMessage)), "{outcome:?}");
    }
    let wish = Change::React(emoji("👍"));
    let changed = change(&ports, CLEO, id, 5, wish).await.expect("reacts");
    assert_eq!(changed.message.rev, Seq(6));
}

/// The others are told of a change, also those who cannot see what it is.
pub async fn a_change_tells_the_members_of_that_moment(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    fixture.add_member(id, CLEO).await;
    fixture.remove_member(id, BOB).await;
    let told = edit(&ports, ADA, id, 2, "edited").await.recipients.expect("a change");
    let ada = Recipient { user_id: ADA, joined_seq: Seq::ZERO };
    let cleo = Recipient { user_id: CLEO, joined_seq: Seq(4) };
    assert_eq!(told, [ada, cleo]);
}

pub async fn a_change_leaves_the_conversation_as_it_was(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let before = conversation(&ports, ADA, id).await;
    edit(&ports, ADA, id, 2, "edited").await;
    let after = conversation(&ports, ADA, id).await;
    assert_eq!(after, domain::Conversation { last_seq: Seq(5), ..before });
}

/// A resend of a message that was changed meanwhile provokes the push of what it is now.
pub async fn a_changed_message_is_known_as_it_is_now(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let wish = Change::React(emoji("👍"));
    let reacted = change(&ports, BOB, id, 2, wish).await.expect("reacts").message;
    let commit = append(&ports, &[says(id, ADA, 1)]).await;
    assert_eq!(known(&commit, 0), reacted);
    let entries = ports.conversations.list(BOB, page(None, 5)).await.expect("lists").0;
    assert_eq!(entries[0].last_message, Some(message(&ports, BOB, id, 4).await));
    let wish = Change::React(emoji("👍"));
    let last = change(&ports, ADA, id, 4, wish).await.expect("reacts").message;
    let entries = ports.conversations.list(BOB, page(None, 5)).await.expect("lists").0;
    assert_eq!(entries[0].last_message, Some(last));
    let (items, _) = feed(ports.messages.as_ref(), BOB, id, Seq(4), 10).await;
    assert_eq!(items[0], reacted);
}

pub async fn a_member_removed_while_their_change_waits_changes_nothing(
    fixture: &dyn HistoryFixture,
) {
    let (ports, id) = a_talk(fixture).await;
    let (other, outcome) = (fixture.process(), Arc::new(Mutex::new(None)));
    let slot = outcome.clone();
    let waiting = async move {
        let changed = change(&other, BOB, id, 4, Change::Delete).await;
        *slot.lock().expect("a slot") = Some(changed);
    };
    fixture.remove_member_during(id, BOB, Box::pin(waiting)).await;
    let outcome = outcome.lock().expect("a slot").take().expect("an outcome");
    assert!(matches!(outcome, Err(ChangeError::NotAMember)), "{outcome:?}");
    assert_eq!(last_seq(&ports, id).await, 4);
}

/// Two processes write while two others edit: nobody's number is anybody else's.
pub async fn messages_and_changes_at_once_never_share_a_number(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_talk(fixture).await;
    let mut work = JoinSet::new();
    for process in 0..4_u128 {
        let ports = fixture.process();
        work.spawn(async move {
            let mut taken = Vec::new();
            for round in 0..10 {
                let number = 100 + process * 100 + round;
                if process < 2 {
                    let commit = append(&ports, &[says(id, BOB, number)]).await;
                    taken.push(stored(&commit, 0).seq);
                } else {
                    let (seq, raw) = (i64::try_from(process).expect("small"), number.to_string());
                    taken.push(edit(&ports, ADA, id, seq, &raw).await.message.rev);
                }
            }
            taken
        });
    }
    let mut numbers = BTreeSet::new();
    while let Some(taken) = work.join_next().await {
        numbers.extend(taken.expect("work that ends well"));
    }
    assert_eq!(numbers, (5..=44).map(Seq).collect());
    let (items, through) = feed(ports.messages.as_ref(), ADA, id, Seq::ZERO, 7).await;
    assert_eq!((items.len(), through), (24, Seq(44)));
}
