//! `Upkeep`: who is behind, copies that are missing, and what is over.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{ContactRequestId, ConversationId, Seq, UserId, limits};
use service::Identity;
use service::port::{
    InviteRefusal, MailPurpose, MembershipCopy, NewInvite, NewMailToken, NewSession, Rotation,
    Straggler,
};
use uuid::Uuid;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

const AT_ONCE: Duration = Duration::ZERO;
const A_SECOND: Duration = Duration::from_secs(1);

async fn stragglers(ports: &HistoryPorts, nudge_after: Duration) -> Vec<(UserId, i64)> {
    let found = ports.upkeep.stragglers(nudge_after, 100).await.expect("sweeps");
    let mut found: Vec<_> = found.iter().map(|one| (one.user_id, one.last_seq.0)).collect();
    found.sort();
    found
}

/// Ada's group with Bob, to both of whom everything up to her message 2 was delivered.
async fn nobody_behind(fixture: &dyn HistoryFixture) -> (HistoryPorts, ConversationId) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    raise(&ports, &[delivered(id, ADA, 2), delivered(id, BOB, 2)]).await;
    (ports, id)
}

pub async fn who_has_everything_is_not_behind(fixture: &dyn HistoryFixture) {
    let (ports, id) = nobody_behind(fixture).await;
    assert_eq!(stragglers(&ports, AT_ONCE).await, []);
    ada_says(&ports, id, [2]).await;
    has_received(&ports, id, ADA, 3).await;
    let found = ports.upkeep.stragglers(AT_ONCE, 100).await.expect("sweeps");
    assert_eq!(found, [Straggler { conversation_id: id, user_id: BOB, last_seq: Seq(3) }]);
    has_received(&ports, id, BOB, 3).await;
    assert_eq!(stragglers(&ports, AT_ONCE).await, []);
}

pub async fn nobody_is_nudged_more_than_three_times_in_vain(fixture: &dyn HistoryFixture) {
    let (ports, id) = nobody_behind(fixture).await;
    ada_says(&ports, id, [2]).await;
    has_received(&ports, id, ADA, 3).await;
    for _ in 0..limits::NUDGES_IN_VAIN {
        assert_eq!(stragglers(&ports, AT_ONCE).await, [(BOB, 3)]);
    }
    assert_eq!(stragglers(&ports, AT_ONCE).await, []);
    // Whoever did not move for three nudges is offline, whatever is said meanwhile.
    ada_says(&ports, id, [3]).await;
    has_received(&ports, id, ADA, 4).await;
    assert_eq!(stragglers(&ports, AT_ONCE).await, []);
    has_received(&ports, id, BOB, 3).await;
    for _ in 0..limits::NUDGES_IN_VAIN {
        assert_eq!(stragglers(&ports, AT_ONCE).await, [(BOB, 4)]);
    }
    assert_eq!(stragglers(&ports, AT_ONCE).await, []);
}

pub async fn only_what_changed_some_time_ago_is_nudged_for(fixture: &dyn HistoryFixture) {
    let (ports, id) = nobody_behind(fixture).await;
    fixture.age(Duration::from_secs(3_600)).await;
    ada_says(&ports, id, [2]).await;
    has_received(&ports, id, ADA, 3).await;
    assert_eq!(stragglers(&ports, limits::NUDGE_AFTER).await, []);
    fixture.age(limits::NUDGE_AFTER + A_SECOND).await;
    assert_eq!(stragglers(&ports, limits::NUDGE_AFTER).await, [(BOB, 3)]);
    fixture.age(limits::NUDGE_UNTIL).await;
    assert_eq!(stragglers(&ports, limits::NUDGE_AFTER).await, []);
}

pub async fn an_edit_of_an_old_message_makes_stragglers(fixture: &dyn HistoryFixture) {
    let (ports, id) = nobody_behind(fixture).await;
    fixture.age(Duration::from_secs(3_600)).await;
    edit(&ports, ADA, id, 2, "edited").await;
    assert_eq!(stragglers(&ports, AT_ONCE).await, [(ADA, 3), (BOB, 3)]);
}

pub async fn who_left_is_not_nudged(fixture: &dyn HistoryFixture) {
    let (ports, id) = nobody_behind(fixture).await;
    ada_says(&ports, id, [2]).await;
    fixture.remove_member(id, BOB).await;
    assert_eq!(stragglers(&ports, AT_ONCE).await, [(ADA, 3)]);
}

pub async fn sweeps_of_a_few_reach_everybody(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in 1..=3 {
        open_group(&ports, number, &[BOB]).await;
    }
    let mut nudges = BTreeMap::<_, u32>::new();
    for _ in 0..100 {
        let found = ports.upkeep.stragglers(AT_ONCE, 4).await.expect("sweeps");
        assert!(found.len() <= 4);
        if found.is_empty() {
            break;
        }
        for one in found {
            *nudges.entry((one.conversation_id, one.user_id)).or_default() += 1;
        }
    }
    assert_eq!(nudges.len(), 6);
    assert!(nudges.values().all(|count| *count == limits::NUDGES_IN_VAIN), "{nudges:?}");
}

/// Ada and Bob in a busy group, and Cleo in the newest one, to whom nothing was delivered.
async fn busy_and_newest(fixture: &dyn HistoryFixture) -> (HistoryPorts, [ConversationId; 2]) {
    let ports = three_people(fixture).await;
    let busy = open_group(&ports, 1, &[BOB]).await.conversation.id;
    let newest = open_group(&ports, 9, &[CLEO]).await.conversation.id;
    has_received(&ports, newest, ADA, 1).await;
    (ports, [busy, newest])
}

pub async fn who_stays_behind_leaves_others_their_turn(fixture: &dyn HistoryFixture) {
    let (ports, [busy, newest]) = busy_and_newest(fixture).await;
    let mut nudged = Vec::new();
    for number in 1..=4 {
        ada_says(&ports, busy, [number]).await;
        nudged.extend(ports.upkeep.stragglers(AT_ONCE, 2).await.expect("sweeps"));
    }
    let cleo = Straggler { conversation_id: newest, user_id: CLEO, last_seq: Seq(1) };
    assert!(nudged.contains(&cleo), "{nudged:?}");
    for user_id in [ADA, BOB] {
        assert!(nudged.iter().filter(|one| one.user_id == user_id).count() >= 2, "{nudged:?}");
    }
}

pub async fn who_falls_behind_again_and_again_leaves_others_their_turn(
    fixture: &dyn HistoryFixture,
) {
    let (ports, [busy, newest]) = busy_and_newest(fixture).await;
    let mut nudged = Vec::new();
    for (number, seq) in (1..=2).zip(1..) {
        raise(&ports, &[delivered(busy, ADA, seq), delivered(busy, BOB, seq)]).await;
        ada_says(&ports, busy, [number]).await;
        nudged.extend(ports.upkeep.stragglers(AT_ONCE, 2).await.expect("sweeps"));
    }
    let cleo = Straggler { conversation_id: newest, user_id: CLEO, last_seq: Seq(1) };
    assert!(nudged.contains(&cleo), "{nudged:?}");
}

pub async fn sweeps_at_once_nudge_nobody_more_often(fixture: &dyn HistoryFixture) {
    let (ports, id) = nobody_behind(fixture).await;
    ada_says(&ports, id, [2]).await;
    let all = [(); 4].map(|()| fixture.process());
    let sweep = |at: usize| stragglers(&all[at], AT_ONCE);
    let (a, b, c, d) = tokio::join!(sweep(0), sweep(1), sweep(2), sweep(3));
    let mut nudges: Vec<_> = [a, b, c, d].into_iter().flatten().collect();
    for _ in 0..=limits::NUDGES_IN_VAIN {
        nudges.extend(stragglers(&ports, AT_ONCE).await);
    }
    nudges.sort();
    assert_eq!(nudges, [(ADA, 3), (ADA, 3), (ADA, 3), (BOB, 3), (BOB, 3), (BOB, 3)]);
}

async fn unconfirmed(ports: &HistoryPorts) -> Vec<MembershipCopy> {
    let mut copies = ports.upkeep.unconfirmed_copies(100).await.expect("reads");
    copies.sort_by_key(|copy| (copy.conversation_id, copy.user_id));
    copies
}

fn copy(conversation_id: ConversationId, user_id: UserId, version: i64) -> MembershipCopy {
    MembershipCopy { conversation_id, user_id, is_active: true, version: Seq(version) }
}

pub async fn an_opening_leaves_copies_until_they_are_confirmed(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    assert_eq!(unconfirmed(&ports).await, [], "they may be on their way");
    assert_eq!(ports.upkeep.owed_copies(id).await.expect("reads").len(), 3, "and are owed");
    fixture.age(limits::COPY_REPAIR_AFTER + A_SECOND).await;
    let all = [ADA, BOB, CLEO].map(|user| copy(id, user, 1));
    assert_eq!(unconfirmed(&ports).await, all);
    ports.upkeep.confirm_copies(&[copy(id, BOB, 1)]).await.expect("confirms");
    assert_eq!(unconfirmed(&ports).await, [all[0], all[2]]);
    ports.upkeep.confirm_copies(&all).await.expect("confirms");
    assert_eq!(unconfirmed(&ports).await, []);
}

pub async fn copies_of_a_direct_conversation_are_confirmed_at_zero(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    fixture.age(limits::COPY_REPAIR_AFTER + A_SECOND).await;
    let all = [ADA, BOB].map(|user| copy(id, user, 0));
    assert_eq!(unconfirmed(&ports).await, all);
    // Said after the opening: what was written of it is still what is to be confirmed.
    ada_says(&ports, id, [1]).await;
    assert_eq!(unconfirmed(&ports).await, all);
    ports.upkeep.confirm_copies(&all).await.expect("confirms");
    assert_eq!(unconfirmed(&ports).await, []);
}

pub async fn an_older_copy_confirms_no_later_change(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    fixture.age(limits::COPY_REPAIR_AFTER + A_SECOND).await;
    ports.upkeep.confirm_copies(&[copy(id, ADA, 0)]).await.expect("confirms");
    assert_eq!(unconfirmed(&ports).await, [copy(id, ADA, 1), copy(id, BOB, 1)]);
    ports.upkeep.confirm_copies(&[copy(id, ADA, 7)]).await.expect("confirms");
    assert_eq!(unconfirmed(&ports).await, [copy(id, BOB, 1)]);
}

pub async fn confirming_what_is_not_there_is_fine(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    ports.upkeep.confirm_copies(&[]).await.expect("confirms nothing");
    let copies = [copy(id, ADA, 1), copy(id, NOBODY, 1), copy(conversation_id(9), ADA, 1)];
    for _ in 0..2 {
        ports.upkeep.confirm_copies(&copies).await.expect("confirms");
    }
}

pub async fn copies_are_repaired_a_few_at_a_time(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open_group(&ports, 1, &[BOB, CLEO]).await;
    open_direct(&ports, BOB, CLEO).await;
    fixture.age(limits::COPY_REPAIR_AFTER + A_SECOND).await;
    let mut repaired = Vec::new();
    for _ in 0..3 {
        let some = ports.upkeep.unconfirmed_copies(2).await.expect("reads");
        assert!(some.len() <= 2);
        ports.upkeep.confirm_copies(&some).await.expect("confirms");
        repaired.extend(some);
    }
    assert_eq!(repaired.len(), 5);
    assert_eq!(unconfirmed(&ports).await, []);
}

/// A session that Ada opened at this second, and revoked at another.
async fn adas_session(ports: &HistoryPorts, number: u32, opened: u64, revoked: Option<u64>) {
    let (created_at, refresh) = (at(opened), token(number));
    let session = NewSession { created_at, refresh, ..new_session(ADA, number) };
    open_session(ports, session).await;
    if let Some(second) = revoked {
        ports.sessions.revoke(session_id(number), at(second)).await.expect("revokes");
    }
}

/// Requests to be contacts: their number, when, and whom.
async fn ada_asks(ports: &HistoryPorts, requests: [(u128, u64, UserId); 2]) {
    for (number, second, to) in requests {
        let id = ContactRequestId(Uuid::from_u128(number));
        ports.contacts.ask(id, ADA, to, at(second)).await.expect("asks");
    }
}

pub async fn what_ended_long_ago_is_forgotten(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for (number, opened, revoked) in [(10, 10, Some(19)), (11, 10, Some(20)), (12, 20, None)] {
        adas_session(&ports, number, opened, revoked).await;
    }
    for (number, user_id, expires_at) in [(1, ADA, at(19)), (2, BOB, at(20))] {
        let (digest, purpose) = (digest(0xE000 + number), MailPurpose::VerifyEmail);
        let issued = NewMailToken { digest, user_id, purpose, expires_at };
        ports.mail_tokens.issue(issued).await.expect("issues");
    }
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    for (number, created, expires, revoked) in
        [(1, 1, 19, None), (2, 1, 900, Some(19)), (3, 1, 20, None), (4, 1, 900, Some(20))]
    {
        let (created_at, expires_at) = (at(created), at(expires));
        let invite = NewInvite { created_at, expires_at, ..new_invite(id, number, None) };
        let invite_id = ports.invites.create(invite).await.expect("creates").id;
        if let Some(second) = revoked {
            ports.invites.revoke(ADA, id, invite_id, at(second)).await.expect("revokes");
        }
    }
    ada_asks(&ports, [(1, 19, BOB), (2, 20, CLEO)]).await;
    let forget = async |limit| ports.upkeep.forget_ended(at(20), limit).await.expect("forgets");
    // Of each kind: the sessions are those of the three people, which nobody used since, and one
    // that was revoked.
    assert_eq!(forget(1).await, 4);
    let mut forgotten = 4;
    for _ in 0..10 {
        forgotten += forget(1).await;
    }
    assert_eq!(forgotten, 4 + 1 + 2 + 1);
    assert_eq!(forget(100).await, 0);
    let is_active = async |number| {
        let identity = Identity { user_id: ADA, session_id: session_id(number) };
        ports.sessions.is_active(identity).await.expect("reads")
    };
    assert!(!is_active(0).await && is_active(12).await);
    let reused = ports.sessions.rotate(&digest(12), token(99), at(21)).await.expect("rotates");
    assert!(matches!(reused, Rotation::Rotated(_)));
    assert!(!ports.mail_tokens.verify_email(&digest(0xE001), at(5)).await.expect("answers"));
    assert!(ports.mail_tokens.verify_email(&digest(0xE002), at(5)).await.expect("answers"));
    let waiting = ports.contacts.requests(ADA, page(None, 10)).await.expect("lists").0;
    assert_eq!(waiting.iter().map(|request| request.to).collect::<Vec<_>>(), [CLEO]);
    let shown = ports.invites.list(ADA, id, at(30)).await.expect("lists");
    assert_eq!(shown.iter().map(|invite| invite.expires_at).collect::<Vec<_>>(), [at(20)]);
    let left = ports.invites.preview(BOB, &digest(0x1417_0004), at(5)).await;
    assert_eq!(refusal(left), Refused::Invite(InviteRefusal::Revoked), "it is not forgotten yet");
    let gone = ports.invites.preview(BOB, &digest(0x1417_0002), at(5)).await;
    assert_eq!(refusal(gone), Refused::Invite(InviteRefusal::Unknown));
}
