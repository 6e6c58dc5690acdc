//! `ContactStore`.

use domain::{ContactRequestId, UserId, limits};
use service::ContactRequest;
use service::port::{ContactAsked, ContactError};
use uuid::Uuid;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

fn request_id(number: u128) -> ContactRequestId {
    ContactRequestId(Uuid::from_u128(0xC0_47AC_0000 + number))
}

async fn ask(ports: &HistoryPorts, number: u64, from: UserId, to: UserId) -> ContactRequest {
    let asked = ports.contacts.ask(request_id(number.into()), from, to, at(number)).await;
    match asked.expect("asks") {
        ContactAsked::Asked(request) => request,
        other => panic!("{other:?}"),
    }
}

async fn waiting(ports: &HistoryPorts, user: UserId) -> Vec<ContactRequest> {
    ports.contacts.requests(user, page(None, 100)).await.expect("lists").0
}

async fn contacts(ports: &HistoryPorts, user: UserId) -> Vec<UserId> {
    let (users, next) = ports.contacts.contacts(user, page(None, 100)).await.expect("lists");
    assert_eq!(next, None);
    users.into_iter().map(|user| user.id).collect()
}

async fn befriend(ports: &HistoryPorts, number: u64, from: UserId, to: UserId) {
    let request = ask(ports, number, from, to).await;
    let accepted = ports.contacts.accept(to, request.id, at(50)).await.expect("accepts");
    assert_eq!(accepted, Some(request));
}

pub async fn a_request_waits_for_the_other_side(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let request = ask(&ports, 1, ADA, BOB).await;
    assert_eq!((request.id, request.from, request.to), (request_id(1), ADA, BOB));
    assert_eq!(request.created_at, at(1));
    let later = ask(&ports, 2, CLEO, ADA).await;
    assert_eq!(waiting(&ports, ADA).await, [later, request], "the newest first");
    assert_eq!(waiting(&ports, BOB).await, [request]);
    assert_eq!(contacts(&ports, ADA).await, []);
    assert_eq!(contacts(&ports, BOB).await, []);
}

pub async fn who_is_asked_again_is_asked_once(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let request = ask(&ports, 1, ADA, BOB).await;
    let again = ports.contacts.ask(request_id(2), ADA, BOB, at(2)).await.expect("asks");
    assert_eq!(again, ContactAsked::Waiting(request));
    assert_eq!(waiting(&ports, BOB).await, [request]);
}

pub async fn an_accepted_request_makes_contacts_of_both(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    befriend(&ports, 1, ADA, BOB).await;
    assert_eq!((contacts(&ports, ADA).await, contacts(&ports, BOB).await), (vec![BOB], vec![ADA]));
    assert_eq!((waiting(&ports, ADA).await, waiting(&ports, BOB).await), (vec![], vec![]));
    let again = ports.contacts.accept(BOB, request_id(1), at(51)).await.expect("answers");
    assert_eq!(again, None);
    for (from, to) in [(ADA, BOB), (BOB, ADA)] {
        let asked = ports.contacts.ask(request_id(3), from, to, at(60)).await;
        assert!(matches!(asked, Err(ContactError::AlreadyContacts)), "{asked:?}");
    }
}

pub async fn two_who_ask_each_other_are_contacts(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    ask(&ports, 1, ADA, BOB).await;
    let asked = ports.contacts.ask(request_id(2), BOB, ADA, at(2)).await.expect("asks");
    assert!(matches!(asked, ContactAsked::Contacts(_)), "{asked:?}");
    assert_eq!((contacts(&ports, ADA).await, contacts(&ports, BOB).await), (vec![BOB], vec![ADA]));
    assert_eq!((waiting(&ports, ADA).await, waiting(&ports, BOB).await), (vec![], vec![]));
}

pub async fn two_who_ask_each_other_at_once_are_contacts(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let (one, other) = (fixture.process(), fixture.process());
    let (first, second) = tokio::join!(
        one.contacts.ask(request_id(1), ADA, BOB, at(1)),
        other.contacts.ask(request_id(2), BOB, ADA, at(1)),
    );
    let answers = [first.expect("asks"), second.expect("asks")];
    let agreed = answers.iter().filter(|asked| matches!(asked, ContactAsked::Contacts(_)));
    assert_eq!(agreed.count(), 1, "{answers:?}");
    assert_eq!((contacts(&ports, ADA).await, contacts(&ports, BOB).await), (vec![BOB], vec![ADA]));
    assert_eq!((waiting(&ports, ADA).await, waiting(&ports, BOB).await), (vec![], vec![]));
}

pub async fn of_accepting_and_taking_back_at_once_one_wins(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let (one, other) = (fixture.process(), fixture.process());
    for number in 1..=12 {
        let request = ask(&ports, number, ADA, BOB).await;
        let (accepted, taken) = tokio::join!(
            one.contacts.accept(BOB, request.id, at(50)),
            other.contacts.decline(ADA, request.id),
        );
        let (accepted, taken) = (accepted.expect("answers"), taken.expect("answers"));
        assert!(accepted.is_some() != taken.is_some(), "{accepted:?} and {taken:?}");
        let expected = if accepted.is_some() { vec![BOB] } else { vec![] };
        assert_eq!(contacts(&ports, ADA).await, expected);
        ports.contacts.remove(ADA, BOB).await.expect("answers");
    }
}

pub async fn of_asking_and_taking_back_at_once_one_wins(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let (one, other) = (fixture.process(), fixture.process());
    for number in 1..=12 {
        let request = ask(&ports, number, BOB, ADA).await;
        let (asked, taken) = tokio::join!(
            one.contacts.ask(request_id(100 + u128::from(number)), ADA, BOB, at(50)),
            other.contacts.decline(BOB, request.id),
        );
        let (asked, taken) = (asked.expect("asks"), taken.expect("answers"));
        let are_contacts = matches!(asked, ContactAsked::Contacts(_));
        assert!(are_contacts != taken.is_some(), "{asked:?} and {taken:?}");
        let expected = if are_contacts { vec![BOB] } else { vec![] };
        assert_eq!(contacts(&ports, ADA).await, expected);
        ports.contacts.remove(ADA, BOB).await.expect("answers");
        for left in waiting(&ports, ADA).await {
            ports.contacts.decline(ADA, left.id).await.expect("answers");
        }
    }
}

pub async fn only_so_many_requests_wait(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let most = limits::CONTACT_REQUESTS_WAITING;
    let people = crowd(&ports, u32::try_from(most).expect("a small number")).await;
    for (number, person) in (0..).zip(&people) {
        // From one person, and for one.
        ask(&ports, 2 * number, ADA, *person).await;
        ask(&ports, 2 * number + 1, *person, BOB).await;
    }
    for (from, to) in [(ADA, CLEO), (CLEO, BOB)] {
        let asked = ports.contacts.ask(request_id(99_999), from, to, at(9_999)).await;
        assert!(matches!(asked, Err(ContactError::Full)), "{asked:?}");
    }
    let again = ports.contacts.ask(request_id(99_999), ADA, people[0], at(9_999)).await;
    assert!(matches!(again, Ok(ContactAsked::Waiting(_))), "{again:?}");
    // Answering is no asking.
    let met = ports.contacts.ask(request_id(99_999), people[0], ADA, at(9_999)).await;
    assert!(matches!(met, Ok(ContactAsked::Contacts(_))), "{met:?}");
    ask(&ports, 77_777, ADA, CLEO).await;
}

pub async fn only_who_was_asked_accepts(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let request = ask(&ports, 1, ADA, BOB).await;
    for user in [ADA, CLEO, NOBODY] {
        let accepted = ports.contacts.accept(user, request.id, at(50)).await.expect("answers");
        assert_eq!(accepted, None);
    }
    let accepted = ports.contacts.accept(BOB, request_id(9), at(50)).await.expect("answers");
    assert_eq!((accepted, contacts(&ports, ADA).await), (None, vec![]));
    assert_eq!(waiting(&ports, BOB).await, [request]);
}

pub async fn either_side_declines(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for (number, user) in [(1, BOB), (2, ADA)] {
        let request = ask(&ports, number, ADA, BOB).await;
        let stranger = ports.contacts.decline(CLEO, request.id).await.expect("answers");
        assert_eq!(stranger, None);
        let declined = ports.contacts.decline(user, request.id).await.expect("declines");
        assert_eq!(declined, Some(request));
        let again = ports.contacts.decline(user, request.id).await.expect("answers");
        assert_eq!((again, waiting(&ports, BOB).await), (None, vec![]));
        let accepted = ports.contacts.accept(BOB, request.id, at(50)).await.expect("answers");
        assert_eq!((accepted, contacts(&ports, ADA).await), (None, vec![]));
    }
}

pub async fn contacts_are_removed_on_both_sides(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    befriend(&ports, 1, ADA, BOB).await;
    assert!(!ports.contacts.remove(ADA, CLEO).await.expect("removes"));
    assert!(ports.contacts.remove(BOB, ADA).await.expect("removes"));
    assert!(!ports.contacts.remove(ADA, BOB).await.expect("removes"));
    assert_eq!((contacts(&ports, ADA).await, contacts(&ports, BOB).await), (vec![], vec![]));
    befriend(&ports, 2, ADA, BOB).await;
    assert_eq!(contacts(&ports, ADA).await, [BOB]);
}

pub async fn nobody_and_who_is_blocked_is_not_asked(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let asked = ports.contacts.ask(request_id(1), ADA, NOBODY, at(1)).await;
    assert!(matches!(asked, Err(ContactError::UnknownUser)), "{asked:?}");
    ports.blocks.block(BOB, ADA, at(1)).await.expect("blocks");
    for (from, to) in [(ADA, BOB), (BOB, ADA)] {
        let asked = ports.contacts.ask(request_id(1), from, to, at(1)).await;
        assert!(matches!(asked, Err(ContactError::Blocked)), "{asked:?}");
    }
    assert_eq!(waiting(&ports, BOB).await, []);
}

pub async fn pages_of_contacts_and_requests_neither_overlap_nor_skip(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let people = crowd(&ports, 5).await;
    for (number, person) in (1..).zip(&people) {
        ask(&ports, number, *person, ADA).await;
    }
    let (mut senders, mut cursor) = (vec![], None);
    loop {
        let page = ports.contacts.requests(ADA, page(cursor, 2)).await.expect("lists");
        senders.extend(page.0.into_iter().map(|request| request.from));
        cursor = page.1;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(senders, people.iter().rev().copied().collect::<Vec<_>>());
    for (number, person) in (1..).zip(&people) {
        ports.contacts.accept(ADA, request_id(number), at(50)).await.expect("accepts");
        assert_eq!(contacts(&ports, *person).await, [ADA]);
    }
    let (mut known, mut cursor) = (vec![], None);
    loop {
        let page = ports.contacts.contacts(ADA, page(cursor, 2)).await.expect("lists");
        known.extend(page.0.into_iter().map(|user| user.id));
        cursor = page.1;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(known, people, "by user name");
    for raw in ["\u{0}", "💥", "' OR 1=1 --", &"x".repeat(10_000)] {
        let cursor = || page(Some(raw.to_owned()), 2);
        assert!(ports.contacts.contacts(ADA, cursor()).await.is_err(), "{raw:.40}");
        assert!(ports.contacts.requests(ADA, cursor()).await.is_err(), "{raw:.40}");
    }
}
