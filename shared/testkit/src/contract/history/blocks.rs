//! `BlockStore`.

use domain::{ContactRequestId, DisplayName, UserId};
use service::port::{BlockError, PageError, UserChange};
use uuid::Uuid;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

async fn block(ports: &HistoryPorts, user: UserId, other: UserId) {
    ports.blocks.block(user, other, at(1)).await.expect("blocks");
}

async fn blocked(ports: &HistoryPorts, user: UserId) -> Vec<UserId> {
    let (users, next) = ports.blocks.blocked(user, page(None, 100)).await.expect("lists");
    assert_eq!(next, None);
    users.into_iter().map(|user| user.id).collect()
}

async fn found(ports: &HistoryPorts, user: UserId, prefix: &str) -> Vec<UserId> {
    let (users, next) = ports.blocks.search(user, prefix, page(None, 100)).await.expect("finds");
    assert_eq!(next, None);
    users.into_iter().map(|user| user.id).collect()
}

async fn rename(ports: &HistoryPorts, user: UserId, name: &str) {
    let display_name = Some(DisplayName::parse(name).expect("a name"));
    let change = UserChange { display_name, ..UserChange::default() };
    ports.users.update(user, change).await.expect("updates").expect("somebody");
}

pub async fn a_block_is_ones_own_and_idempotent(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for _ in 0..2 {
        block(&ports, ADA, BOB).await;
        assert_eq!(blocked(&ports, ADA).await, [BOB]);
    }
    assert_eq!(blocked(&ports, BOB).await, []);
    for _ in 0..2 {
        ports.blocks.unblock(ADA, BOB).await.expect("unblocks");
        assert_eq!(blocked(&ports, ADA).await, []);
    }
    ports.blocks.unblock(ADA, NOBODY).await.expect("is fine");
    block(&ports, BOB, ADA).await;
    // It is the other's block: one cannot take it back.
    ports.blocks.unblock(ADA, BOB).await.expect("is fine");
    assert_eq!(blocked(&ports, BOB).await, [ADA]);
    assert!(ports.conversations.open_direct(direct(ADA, BOB)).await.is_err());
}

pub async fn a_block_ends_contacts_and_requests(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let ask = async |number, from, to| {
        let id = ContactRequestId(Uuid::from_u128(number));
        ports.contacts.ask(id, from, to, at(1)).await.expect("asks")
    };
    ask(1, ADA, BOB).await;
    ask(2, BOB, ADA).await;
    ask(3, CLEO, ADA).await;
    block(&ports, ADA, BOB).await;
    block(&ports, ADA, CLEO).await;
    for user in [ADA, BOB, CLEO] {
        let contacts = ports.contacts.contacts(user, page(None, 10)).await.expect("lists").0;
        let requests = ports.contacts.requests(user, page(None, 10)).await.expect("lists").0;
        assert_eq!((contacts.len(), requests.len()), (0, 0));
    }
}

pub async fn nobody_is_not_blocked(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let outcome = ports.blocks.block(ADA, NOBODY, at(1)).await;
    assert!(matches!(outcome, Err(BlockError::UnknownUser)), "{outcome:?}");
    assert_eq!(blocked(&ports, ADA).await, []);
}

pub async fn pages_of_blocks_neither_overlap_nor_skip(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let people = crowd(&ports, 5).await;
    for person in people.iter().rev() {
        block(&ports, ADA, *person).await;
    }
    let (mut listed, mut cursor) = (vec![], None);
    loop {
        let (users, next) = ports.blocks.blocked(ADA, page(cursor, 2)).await.expect("lists");
        listed.extend(users.into_iter().map(|user| user.id));
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, people);
}

pub async fn people_are_found_by_the_beginning_of_either_name(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    rename(&ports, BOB, "Clement Östberg").await;
    assert_eq!(found(&ports, ADA, "bo").await, [BOB]);
    assert_eq!(found(&ports, ADA, "cle").await, [BOB, CLEO], "by user name");
    assert_eq!(found(&ports, ADA, "clement ö").await, [BOB]);
    assert_eq!(found(&ports, ADA, "östberg").await, [], "only the beginning counts");
    assert_eq!(found(&ports, ADA, "bob@example.org").await, [], "an address is not a name");
    rename(&ports, CLEO, "ÖSTEN").await;
    assert_eq!(found(&ports, ADA, "öst").await, [CLEO]);
}

pub async fn what_is_looked_for_is_taken_literally(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for prefix in ["%", "b%", "_ob", "__", "\\", "b\\", "' OR 1=1 --", "b*", "(bo"] {
        assert_eq!(found(&ports, ADA, prefix).await, [], "{prefix:?}");
    }
    rename(&ports, BOB, "100%_sure\\ yes").await;
    for prefix in ["100%", "100%_", "100%_sure\\ "] {
        assert_eq!(found(&ports, ADA, prefix).await, [BOB], "{prefix:?}");
    }
    assert_eq!(found(&ports, ADA, "100_").await, []);
}

pub async fn a_block_either_way_hides_from_the_search(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    block(&ports, BOB, ADA).await;
    assert_eq!(found(&ports, ADA, "bob").await, []);
    assert_eq!(found(&ports, BOB, "ada").await, []);
    assert_eq!(found(&ports, CLEO, "bob").await, [BOB]);
    ports.blocks.unblock(BOB, ADA).await.expect("unblocks");
    assert_eq!(found(&ports, ADA, "bob").await, [BOB]);
}

pub async fn pages_of_the_search_neither_overlap_nor_skip(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let people = crowd(&ports, 7).await;
    block(&ports, people[3], ADA).await;
    // Found by both names, and told once.
    let (mut listed, mut cursor) = (vec![], None);
    loop {
        let part = ports.blocks.search(ADA, "person", page(cursor, 2)).await.expect("finds");
        listed.extend(part.0.into_iter().map(|user| user.id));
        cursor = part.1;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = people.iter().copied().filter(|one| *one != people[3]).collect();
    assert_eq!(listed, expected);
    for raw in ["\u{0}", "💥", "' OR 1=1 --", &"x".repeat(10_000)] {
        let outcome = ports.blocks.search(ADA, "person", page(Some(raw.to_owned()), 2)).await;
        assert!(matches!(outcome, Err(PageError::InvalidCursor)), "{raw:.40}");
    }
}
