//! `PushLog` and `TraceStore`, and `Upkeep::forget_traces`.

use std::time::Duration;

use domain::{ConversationId, Seq, Timestamp, UserId, limits};
use service::Trace;
use service::port::PushRecord;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

/// Ada's group with Bob and Cleo, and her messages 2 to 4 in it.
async fn three_messages(fixture: &dyn HistoryFixture) -> (HistoryPorts, ConversationId) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    ada_says(&ports, id, 1..=3).await;
    (ports, id)
}

async fn pushed(ports: &HistoryPorts, pushes: &[PushRecord]) {
    ports.push_log.record(pushes).await.expect("records");
}

fn push(id: ConversationId, after: i64, through: i64, devices: u32) -> PushRecord {
    let (after, through) = (Seq(after), Seq(through));
    PushRecord { conversation_id: id, after, through, devices, at: None }
}

async fn trace(ports: &HistoryPorts, id: ConversationId, seq: i64) -> Trace {
    let found = ports.traces.trace(ADA, id, Seq(seq)).await.expect("reads");
    found.expect("the sender")
}

fn people<T>(marks: &[(UserId, T)]) -> Vec<UserId> {
    marks.iter().map(|(user, _)| *user).collect()
}

pub async fn a_trace_begins_with_the_acceptance(fixture: &dyn HistoryFixture) {
    let (ports, id) = three_messages(fixture).await;
    let found = trace(&ports, id, 3).await;
    assert_eq!((found.conversation_id, found.seq), (id, Seq(3)));
    assert_eq!(found.trace_id, Some(says(id, ADA, 2).trace_id));
    assert_eq!(found.accepted_at, at(10));
    assert_eq!((found.pushed_devices, found.pushed_at), (0, None));
    assert_eq!((found.delivered, found.read), (vec![], vec![]));
}

pub async fn a_trace_tells_who_has_the_message(fixture: &dyn HistoryFixture) {
    let (ports, id) = three_messages(fixture).await;
    pushed(&ports, &[push(id, 1, 3, 2), push(id, 3, 4, 50)]).await;
    pushed(&ports, &[]).await;
    pushed(&ports, &[push(id, 2, 3, 1)]).await;
    has_received(&ports, id, CLEO, 3).await;
    has_received(&ports, id, BOB, 2).await;
    has_read(&ports, id, BOB, 4).await;
    let found = trace(&ports, id, 3).await;
    assert_eq!(found.pushed_devices, 3);
    let (first, last) = found.pushed_at.expect("pushes");
    assert!(found.stored_at <= first && first <= last);
    assert_eq!(people(&found.delivered), [CLEO, BOB]);
    assert_eq!(people(&found.read), [BOB]);
    assert!(found.delivered[0].1 <= found.delivered[1].1);
    let before = trace(&ports, id, 2).await;
    assert_eq!((before.pushed_devices, people(&before.delivered)), (2, vec![CLEO, BOB]));
    let after = trace(&ports, id, 4).await;
    assert_eq!((after.pushed_devices, people(&after.delivered)), (50, vec![BOB]));
}

pub async fn a_push_is_dated_by_who_made_it(fixture: &dyn HistoryFixture) {
    let (ports, id) = three_messages(fixture).await;
    let stored_at = trace(&ports, id, 3).await.stored_at;
    let made_at = |seconds: i64| {
        let at = Timestamp::from_unix_ms(stored_at.unix_ms() + seconds * 1_000);
        PushRecord { at: Some(at.expect("a time")), ..push(id, 2, 3, 1) }
    };
    // They arrive in any order, and one of a clock that is ahead.
    pushed(&ports, &[made_at(3_600), made_at(0)]).await;
    has_received(&ports, id, BOB, 3).await;
    let found = trace(&ports, id, 3).await;
    let (first, last) = found.pushed_at.expect("pushes");
    assert_eq!(first, stored_at);
    assert!(last <= found.delivered[0].1, "a note of before the delivery");
    // Of a clock that is behind.
    pushed(&ports, &[made_at(-5)]).await;
    assert_eq!(trace(&ports, id, 3).await.pushed_at.map(|(first, _)| first), Some(stored_at));
}

pub async fn a_change_does_not_move_when_a_message_was_stored(fixture: &dyn HistoryFixture) {
    let (ports, id) = three_messages(fixture).await;
    let before = trace(&ports, id, 3).await;
    edit(&ports, ADA, id, 3, "edited").await;
    assert_eq!(trace(&ports, id, 3).await, before);
}

pub async fn a_trace_is_for_the_sender_while_they_are_a_member(fixture: &dyn HistoryFixture) {
    let (ports, id) = three_messages(fixture).await;
    append(&ports, &[says(id, BOB, 4)]).await;
    fixture.remove_member(id, CLEO).await;
    for (user, id, seq) in [
        (BOB, id, 3),
        (CLEO, id, 3),
        (NOBODY, id, 3),
        (ADA, id, 5),
        (ADA, id, 6),
        (ADA, id, 0),
        (ADA, id, i64::MAX),
        (ADA, conversation_id(99), 3),
    ] {
        assert_eq!(ports.traces.trace(user, id, Seq(seq)).await.expect("reads"), None, "{seq}");
    }
    assert!(ports.traces.trace(BOB, id, Seq(5)).await.expect("reads").is_some());
    fixture.remove_member(id, BOB).await;
    assert_eq!(ports.traces.trace(BOB, id, Seq(5)).await.expect("reads"), None);
}

pub async fn who_does_not_share_receipts_leaves_no_reading_in_a_trace(
    fixture: &dyn HistoryFixture,
) {
    let (ports, id) = three_messages(fixture).await;
    shares(&ports, BOB, false, true).await;
    has_read(&ports, id, BOB, 3).await;
    has_read(&ports, id, CLEO, 3).await;
    let found = trace(&ports, id, 3).await;
    assert_eq!(people(&found.delivered), [BOB, CLEO]);
    assert_eq!(people(&found.read), [CLEO]);
}

pub async fn a_trace_is_forgotten_after_its_time(fixture: &dyn HistoryFixture) {
    let (ports, id) = three_messages(fixture).await;
    let forget = async |limit| ports.upkeep.forget_traces(limit).await.expect("forgets");
    pushed(&ports, &[push(id, 1, 2, 2), push(id, 2, 3, 2), push(id, 3, 4, 2)]).await;
    has_read(&ports, id, BOB, 2).await;
    assert_eq!(forget(100).await, 0);
    fixture.age(limits::TRACE_LIFETIME + Duration::from_secs(60)).await;
    pushed(&ports, &[push(id, 2, 3, 7)]).await;
    assert_eq!(forget(2).await, 2);
    assert!(forget(100).await >= 2);
    assert_eq!(forget(100).await, 0);
    let found = trace(&ports, id, 2).await;
    assert_eq!((found.pushed_devices, found.delivered), (0, vec![]));
    assert_eq!(trace(&ports, id, 3).await.pushed_devices, 7);
}
