//! `MessageStore`: writing history.

use std::sync::{Arc, Mutex};

use domain::{ConversationId, Mention, MessageKind, Rejection, Seq};
use service::port::{Commit, Submission, Verdict};
use service::{Recipient, Window};
use tokio::task::JoinSet;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

fn rejection(commit: &Commit, at: usize) -> Rejection {
    match &commit.appended[at].verdict {
        Verdict::Rejected(rejection) => *rejection,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

async fn last_seq(ports: &HistoryPorts, id: ConversationId) -> i64 {
    conversation(ports, ADA, id).await.last_seq.0
}

pub async fn messages_are_numbered_in_the_order_they_came(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    // The keys stand in another order than the messages.
    let batch = [says(id, BOB, 9), says(id, ADA, 5), says(id, BOB, 1), says(id, ADA, 7)];
    assert_eq!(seqs(&append(&ports, &batch).await), [2, 3, 4, 5].map(Some));
    assert_eq!(seqs(&append(&ports, &[says(id, ADA, 2)]).await), [Some(6)]);
    assert_eq!(last_seq(&ports, id).await, 6);
}

pub async fn a_message_is_read_back_as_it_was_sent(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let mut submission = says(id, BOB, 1);
    let content = "  e\u{301} 🚂 \"'; DROP TABLE messages; --\\x00 {} \u{202e}\r\n\u{1}";
    submission.draft.text = Some(text(content));
    submission.draft.reply_to = Some(Seq(1));
    submission.draft.mentions = vec![Mention { user_id: ADA, start: 2, length: 3 }];
    submission.draft.sent_at = Some(at(3));
    let message = stored(&append(&ports, std::slice::from_ref(&submission)).await, 0);
    let draft = submission.draft;
    assert_eq!((message.conversation_id, message.sender_id), (id, BOB));
    assert_eq!((message.seq, message.rev, message.client_id), (Seq(2), Seq(2), draft.client_id));
    assert_eq!((message.kind, &message.event), (MessageKind::Text, &None));
    assert_eq!((&message.text, message.reply_to), (&draft.text, draft.reply_to));
    assert_eq!((&message.mentions, message.sent_at), (&draft.mentions, draft.sent_at));
    assert_eq!((message.created_at, message.pinned), (at(10), false));
    assert_eq!((message.edited_at, message.deleted_at), (None, None));
    let shown = ports.messages.page(ADA, id, Window::After(Seq(1)), 10).await.expect("reads");
    assert_eq!(shown.expect("a member").items, [message]);
}

pub async fn a_message_sent_twice_is_stored_once(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let first = stored(&append(&ports, &[says(id, ADA, 1)]).await, 0);
    ada_says(&ports, id, [2]).await;
    let mut again = says(id, ADA, 1);
    again.draft.text = Some(text("the first content wins"));
    let commit = append(&ports, &[again, says(id, ADA, 3)]).await;
    assert_eq!(known(&commit, 0), first);
    assert_eq!(seqs(&commit), [Some(2), Some(4)]);
    assert_eq!(commit.recipients[&id].len(), 2);
    assert_eq!(last_seq(&ports, id).await, 4);
}

pub async fn a_message_twice_in_one_batch_is_stored_once(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let mut again = says(id, ADA, 1);
    again.draft.text = Some(text("the first content wins"));
    let commit = append(&ports, &[says(id, ADA, 1), says(id, ADA, 2), again]).await;
    assert_eq!(seqs(&commit), [Some(2), Some(3), Some(2)]);
    assert_eq!(known(&commit, 2), stored(&commit, 0));
    assert_eq!(last_seq(&ports, id).await, 3);
}

pub async fn the_same_client_id_of_another_sender_is_another_message(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let commit = append(&ports, &[says(id, ADA, 1), says(id, BOB, 1)]).await;
    assert_eq!(seqs(&commit), [Some(2), Some(3)]);
    assert_eq!((stored(&commit, 0).sender_id, stored(&commit, 1).sender_id), (ADA, BOB));
}

pub async fn the_same_client_id_in_another_conversation_is_another_message(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    for number in [1, 2] {
        open_group(&ports, number, &[]).await;
    }
    let batch = [1, 2].map(|number| says(conversation_id(number), ADA, 1));
    let commit = append(&ports, &batch).await;
    assert_eq!(seqs(&commit), [Some(2), Some(2)]);
    assert_eq!(stored(&commit, 1).conversation_id, conversation_id(2));
}

pub async fn a_refused_message_takes_no_number(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let batch = [says(id, ADA, 1), says(id, CLEO, 2), says(id, BOB, 3), says(id, ADA, 4)];
    let commit = append(&ports, &batch).await;
    assert_eq!(seqs(&commit), [Some(2), None, Some(3), Some(4)]);
    assert_eq!(last_seq(&ports, id).await, 4);
    let refused = append(&ports, &[says(id, CLEO, 2), says(id, CLEO, 2)]).await;
    assert_eq!(seqs(&refused), [None, None]);
    assert!(refused.recipients.is_empty());
    assert_eq!(last_seq(&ports, id).await, 4);
}

pub async fn who_is_not_a_member_is_rejected(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    fixture.remove_member(id, BOB).await;
    let batch = [
        says(id, BOB, 1),
        says(id, CLEO, 2),
        says(id, NOBODY, 3),
        says(conversation_id(99), ADA, 4),
    ];
    let commit = append(&ports, &batch).await;
    for at in 0..batch.len() {
        assert_eq!(rejection(&commit, at), Rejection::NotAMember);
    }
    assert_eq!(last_seq(&ports, id).await, 1);
}

pub async fn a_stored_message_is_known_even_after_its_sender_left(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let first = stored(&append(&ports, &[says(id, BOB, 1)]).await, 0);
    fixture.remove_member(id, BOB).await;
    let commit = append(&ports, &[says(id, BOB, 1), says(id, BOB, 2)]).await;
    assert_eq!(known(&commit, 0), first);
    assert_eq!(rejection(&commit, 1), Rejection::NotAMember);
    let told = Recipient { user_id: ADA, joined_seq: Seq::ZERO };
    assert_eq!(commit.recipients[&id], [told]);
}

pub async fn who_joined_again_may_write_again(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    fixture.remove_member(id, BOB).await;
    ada_says(&ports, id, [2]).await;
    fixture.add_member(id, BOB).await;
    let commit = append(&ports, &[says(id, BOB, 3)]).await;
    assert_eq!(seqs(&commit), [Some(4)]);
    let bob = Recipient { user_id: BOB, joined_seq: Seq(3) };
    assert!(commit.recipients[&id].contains(&bob));
}

pub async fn a_block_either_way_rejects_in_a_direct_conversation(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    let first = stored(&append(&ports, &[says(id, BOB, 1)]).await, 0);
    fixture.block(ADA, BOB).await;
    let commit = append(&ports, &[says(id, BOB, 1), says(id, BOB, 2), says(id, ADA, 3)]).await;
    assert_eq!(known(&commit, 0), first);
    assert_eq!(rejection(&commit, 1), Rejection::Blocked);
    assert_eq!(rejection(&commit, 2), Rejection::Blocked);
    assert_eq!(last_seq(&ports, id).await, 1);
}

pub async fn a_block_does_not_matter_in_a_group(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    fixture.block(ADA, BOB).await;
    let commit = append(&ports, &[says(id, ADA, 1), says(id, BOB, 2)]).await;
    assert_eq!(seqs(&commit), [Some(2), Some(3)]);
}

pub async fn the_members_to_tell_are_the_active_ones(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    fixture.add_member(id, CLEO).await;
    fixture.remove_member(id, BOB).await;
    let commit = append(&ports, &[says(id, ADA, 2), says(id, CLEO, 3)]).await;
    let ada = Recipient { user_id: ADA, joined_seq: Seq::ZERO };
    let cleo = Recipient { user_id: CLEO, joined_seq: Seq(2) };
    assert_eq!(commit.recipients.into_iter().collect::<Vec<_>>(), [(id, vec![ada, cleo])]);
}

pub async fn a_batch_of_several_conversations_is_numbered_in_each(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for (number, others) in [(1, vec![BOB]), (2, vec![CLEO]), (3, vec![])] {
        open_group(&ports, number, &others).await;
    }
    let say = |room: u128, sender, number| says(conversation_id(room), sender, number);
    let batch = [say(2, ADA, 1), say(1, BOB, 2), say(2, CLEO, 3), say(1, CLEO, 4), say(2, ADA, 5)];
    let commit = append(&ports, &batch).await;
    assert_eq!(seqs(&commit), [Some(2), Some(2), Some(3), None, Some(4)]);
    let told = |room: u128| {
        let recipients = &commit.recipients[&conversation_id(room)];
        recipients.iter().map(|one| one.user_id).collect::<Vec<_>>()
    };
    assert_eq!((told(1), told(2)), (vec![ADA, BOB], vec![ADA, CLEO]));
    assert_eq!(commit.recipients.len(), 2);
}

pub async fn a_message_does_not_change_its_conversation(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let before = open_group(&ports, 1, &[BOB]).await.conversation;
    ada_says(&ports, before.id, [1]).await;
    let after = conversation(&ports, ADA, before.id).await;
    assert_eq!(after, domain::Conversation { last_seq: Seq(2), ..before });
}

pub async fn an_empty_batch_changes_nothing(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(append(&ports, &[]).await, Commit::default());
}

pub async fn a_member_removed_while_their_message_waits_is_rejected(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let (other, outcome) = (fixture.process(), Arc::new(Mutex::new(None)));
    let slot = outcome.clone();
    let waiting = async move {
        let commit = append(&other, &[says(id, BOB, 1), says(id, ADA, 2)]).await;
        *slot.lock().expect("a slot") = Some(commit);
    };
    fixture.remove_member_during(id, BOB, Box::pin(waiting)).await;
    let commit = outcome.lock().expect("a slot").take().expect("an outcome");
    assert_eq!(rejection(&commit, 0), Rejection::NotAMember);
    assert_eq!(seqs(&commit), [None, Some(2)]);
    let told = Recipient { user_id: ADA, joined_seq: Seq::ZERO };
    assert_eq!(commit.recipients[&id], [told]);
}

/// Four processes write into five conversations, two of them in the order of the other two's
/// reversed: what locks as it goes deadlocks here.
pub async fn many_batches_at_once_never_deadlock_and_leave_no_gap(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in 0..5 {
        open_group(&ports, number, &[BOB]).await;
    }
    let mut writers = JoinSet::new();
    for process in 0..4_u128 {
        let ports = fixture.process();
        writers.spawn(async move {
            for round in 0..10_u128 {
                let number = process * 1_000 + round;
                let say = |room: u128| says(conversation_id(room), BOB, number * 10 + room);
                let mut batch: Vec<Submission> = (0..5).map(say).collect();
                if process % 2 == 1 {
                    batch.reverse();
                }
                let commit = append(&ports, &batch).await;
                assert!(seqs(&commit).iter().all(Option::is_some));
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.expect("a writer that ends well");
    }
    for number in 0..5 {
        let id = conversation_id(number);
        let (items, through) = feed(ports.messages.as_ref(), ADA, id, Seq::ZERO, 7).await;
        let numbers: Vec<i64> = items.iter().map(|message| message.seq.0).collect();
        assert_eq!(numbers, (1..=41).collect::<Vec<_>>());
        assert_eq!(through, Seq(41));
    }
}

pub async fn one_message_sent_by_many_processes_at_once_is_stored_once(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    let mut senders = JoinSet::new();
    for _ in 0..6 {
        let ports = fixture.process();
        senders.spawn(async move { append(&ports, &[says(id, ADA, 1)]).await });
    }
    let mut first_ones = 0;
    while let Some(commit) = senders.join_next().await {
        let commit = commit.expect("a sender that ends well");
        assert_eq!(seqs(&commit), [Some(2)]);
        first_ones += usize::from(matches!(commit.appended[0].verdict, Verdict::Stored(_)));
    }
    assert_eq!(first_ones, 1);
    assert_eq!(last_seq(&ports, id).await, 2);
}

pub async fn a_store_that_works_answers_a_ping(fixture: &dyn HistoryFixture) {
    fixture.process().messages.ping().await.expect("an answer");
}

pub async fn a_reply_to_what_is_no_message_is_rejected(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    // Takes the number 3, which is nobody's place in the history.
    edit(&ports, ADA, id, 2, "edited").await;
    let reply = |number, to| {
        let mut submission = says(id, BOB, number);
        submission.draft.reply_to = Some(Seq(to));
        submission
    };
    let batch = [reply(2, 2), reply(3, 3), reply(4, 99), reply(5, i64::MAX), reply(6, 1)];
    let commit = append(&ports, &batch).await;
    assert_eq!(seqs(&commit), [Some(4), None, None, None, Some(5)]);
    for at in 1..=3 {
        assert_eq!(rejection(&commit, at), Rejection::InvalidReplyTo);
    }
    assert_eq!(stored(&commit, 0).reply_to, Some(Seq(2)));
    assert_eq!(last_seq(&ports, id).await, 5);
}

pub async fn a_reply_to_what_was_said_before_one_joined_is_rejected(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    fixture.add_member(id, CLEO).await;
    ada_says(&ports, id, [2]).await;
    let batch = [2_u32, 3].map(|to| {
        let mut submission = says(id, CLEO, u128::from(to));
        submission.draft.reply_to = Some(Seq(i64::from(to)));
        submission
    });
    let commit = append(&ports, &batch).await;
    assert_eq!(rejection(&commit, 0), Rejection::InvalidReplyTo);
    assert_eq!(stored(&commit, 1).reply_to, Some(Seq(3)));
}

pub async fn only_who_is_or_was_a_member_is_mentioned(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    open_group(&ports, 2, &[CLEO]).await;
    fixture.remove_member(id, BOB).await;
    let mention = |number, people: &[_]| {
        let mut submission = says(id, ADA, number);
        let named = people.iter().map(|user_id| Mention { user_id: *user_id, start: 0, length: 1 });
        submission.draft.mentions = named.collect();
        submission
    };
    let batch = [
        mention(1, &[ADA, BOB]),
        mention(2, &[ADA, CLEO]),
        mention(3, &[NOBODY]),
        mention(4, &[BOB, BOB]),
    ];
    let commit = append(&ports, &batch).await;
    assert_eq!(seqs(&commit), [Some(2), None, None, Some(3)]);
    for at in 1..=2 {
        assert_eq!(rejection(&commit, at), Rejection::InvalidMention);
    }
    assert_eq!(stored(&commit, 0).mentions, batch[0].draft.mentions);
    assert_eq!(last_seq(&ports, id).await, 3);
}
