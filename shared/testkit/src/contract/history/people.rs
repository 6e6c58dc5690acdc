//! `Acquaintances`.

use domain::{ConversationId, UserId};
use service::port::Acquaintance;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

const ALL: [UserId; 4] = [ADA, BOB, CLEO, NOBODY];

async fn known(ports: &HistoryPorts, user: UserId, people: &[UserId]) -> Vec<Acquaintance> {
    let mut known = ports.acquaintances.among(user, people).await.expect("reads");
    known.sort_by_key(|one| one.user_id);
    known
}

async fn known_to(ports: &HistoryPorts, user: UserId) -> Vec<UserId> {
    known(ports, user, &ALL).await.iter().map(|one| one.user_id).collect()
}

async fn peers(
    ports: &HistoryPorts,
    user: UserId,
    id: ConversationId,
    limit: usize,
) -> Option<Vec<UserId>> {
    ports.acquaintances.peers(user, id, limit).await.expect("reads")
}

pub async fn who_shares_a_conversation_is_known(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(known_to(&ports, ADA).await, [ADA]);
    open_group(&ports, 1, &[BOB]).await;
    open_direct(&ports, BOB, CLEO).await;
    assert_eq!(known_to(&ports, ADA).await, [ADA, BOB]);
    assert_eq!(known_to(&ports, BOB).await, [ADA, BOB, CLEO]);
    assert_eq!(known_to(&ports, CLEO).await, [BOB, CLEO]);
    assert_eq!(known(&ports, ADA, &[]).await, []);
    assert_eq!(known(&ports, ADA, &[CLEO]).await, []);
    assert_eq!(known(&ports, ADA, &[BOB, BOB, CLEO, BOB]).await.len(), 1);
    // Several shared conversations are one acquaintance.
    open_direct(&ports, ADA, BOB).await;
    assert_eq!(known_to(&ports, ADA).await, [ADA, BOB]);
}

pub async fn who_left_is_a_stranger_again(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB]).await.conversation.id;
    fixture.remove_member(id, BOB).await;
    assert_eq!(known_to(&ports, ADA).await, [ADA]);
    assert_eq!(known_to(&ports, BOB).await, [BOB]);
    fixture.add_member(id, BOB).await;
    assert_eq!(known_to(&ports, ADA).await, [ADA, BOB]);
}

pub async fn a_block_either_way_makes_strangers(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open_group(&ports, 1, &[BOB, CLEO]).await;
    fixture.block(BOB, ADA).await;
    assert_eq!(known_to(&ports, ADA).await, [ADA, CLEO]);
    assert_eq!(known_to(&ports, BOB).await, [BOB, CLEO]);
    assert_eq!(known_to(&ports, CLEO).await, ALL[..3]);
}

pub async fn last_seen_is_shared_by_who_wants_it(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open_group(&ports, 1, &[BOB, CLEO]).await;
    shares(&ports, BOB, true, false).await;
    shares(&ports, CLEO, false, true).await;
    let found = known(&ports, ADA, &[BOB, CLEO]).await;
    let shared: Vec<_> = found.iter().map(|one| (one.user_id, one.shares_last_seen)).collect();
    assert_eq!(shared, [(BOB, false), (CLEO, true)]);
}

pub async fn peers_are_the_other_active_members(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    let mut others = peers(&ports, ADA, id, 10).await.expect("a member");
    others.sort();
    assert_eq!(others, [BOB, CLEO]);
    fixture.block(CLEO, ADA).await;
    assert_eq!(peers(&ports, ADA, id, 10).await, Some(vec![BOB]));
    assert_eq!(peers(&ports, CLEO, id, 10).await, Some(vec![BOB]));
    fixture.remove_member(id, BOB).await;
    assert_eq!(peers(&ports, ADA, id, 10).await, Some(vec![]));
    for (user, id) in [(BOB, id), (NOBODY, id), (ADA, conversation_id(99))] {
        assert_eq!(peers(&ports, user, id, 10).await, None);
    }
}

pub async fn of_many_peers_those_come_first_who_read_last(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let people = crowd(&ports, 4).await;
    let id = open_group(&ports, 1, &people).await.conversation.id;
    ada_says(&ports, id, 1..=4).await;
    for (seq, at) in [(2, 3), (3, 0), (4, 2), (5, 1)] {
        has_read(&ports, id, people[at], seq).await;
    }
    let in_order = [1, 2, 0, 3].map(|at| people[at]);
    assert_eq!(peers(&ports, ADA, id, 10).await.as_deref(), Some(in_order.as_slice()));
    assert_eq!(peers(&ports, ADA, id, 2).await.as_deref(), Some(&in_order[..2]));
}
