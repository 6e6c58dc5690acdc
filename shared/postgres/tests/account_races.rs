//! What holds when several do the same to one account, or to two people, at once.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

mod people;
mod support;

use std::time::Duration;

use domain::{ContactRequestId, EmailAddress, EventType, Seq, SessionId, UserId};
use people::{People, at, digest};
use postgres::{PgAccounts, PgErasure, PgMessages, PgPeople};
use service::port::{
    BlockStore, ContactAsked, ContactStore, Erasure, GroupChange, GroupError, MailPurpose,
    MailTokenStore, MessageStore, NewMailToken, NewRefreshToken, NewSession, PasswordStore,
    SessionStore, TwoFactorStore,
};
use service::{Identity, Page};
use testkit::contract::history::ending::erase_all;
use uuid::Uuid;

const ROUNDS: u128 = 10;

fn page() -> Page {
    Page { cursor: None, limit: 50 }
}

fn request(number: u128) -> ContactRequestId {
    ContactRequestId(Uuid::from_u128(0x2000 + number))
}

fn session(user_id: UserId, number: u128) -> NewSession {
    NewSession {
        id: SessionId(Uuid::from_u128(0x3000 + number)),
        user_id,
        device_name: Some("phone".into()),
        address: Some("192.0.2.1".into()),
        created_at: at(),
        refresh: NewRefreshToken {
            digest: digest(0x3000 + number),
            expires_at: at().plus(Duration::from_secs(60)),
        },
    }
}

async fn hash(accounts: &PgAccounts, user: UserId) -> String {
    accounts.hash_of(user).await.unwrap().unwrap()
}

async fn residue(all: &People, number: u128) -> Vec<(&'static str, u64)> {
    let email = EmailAddress::parse(&format!("person{number}@example.org")).unwrap();
    PgErasure::new(all.database()).residue(all.id(number), &email).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_ask_each_other_at_once_are_contacts() {
    let all = People::new(2).await;
    let [ada, bob] = [all.id(0), all.id(1)];
    let (one, other) = (PgPeople::new(all.database()), PgPeople::new(all.database()));
    for round in 0..ROUNDS {
        let (first, second) = tokio::join!(
            one.ask(request(2 * round), ada, bob, at()),
            other.ask(request(2 * round + 1), bob, ada, at()),
        );
        let asked = [first.unwrap(), second.unwrap()];
        let met = asked.iter().filter(|asked| matches!(asked, ContactAsked::Contacts(_))).count();
        assert_eq!(met, 1);
        assert_eq!(one.requests(ada, page()).await.unwrap().0, []);
        assert_eq!(one.contacts(ada, page()).await.unwrap().0[0].id, bob);
        assert_eq!(one.contacts(bob, page()).await.unwrap().0[0].id, ada);
        let (first, second) = tokio::join!(one.remove(ada, bob), other.remove(bob, ada));
        assert_ne!(first.unwrap(), second.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_at_the_moment_of_a_request_leaves_nothing_but_the_block() {
    let all = People::new(2).await;
    let [ada, bob] = [all.id(0), all.id(1)];
    let (one, other) = (PgPeople::new(all.database()), PgPeople::new(all.database()));
    for round in 0..ROUNDS {
        let (asked, blocked) =
            tokio::join!(one.ask(request(round), ada, bob, at()), other.block(bob, ada, at()));
        blocked.unwrap();
        assert!(asked.is_ok() || !one.blocked(bob, page()).await.unwrap().0.is_empty());
        assert_eq!(one.requests(ada, page()).await.unwrap().0, []);
        assert_eq!(one.contacts(ada, page()).await.unwrap().0, []);
        one.unblock(bob, ada).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_that_is_used_twice_at_once_is_used_once() {
    let all = People::new(1).await;
    let ada = all.id(0);
    let (one, other) = (PgAccounts::new(all.database()), PgAccounts::new(all.database()));
    one.begin(ada, "sealed").await.unwrap();
    let codes: Vec<String> = (0..ROUNDS).map(digest).collect();
    assert!(one.confirm(ada, "sealed", 1, &codes).await.unwrap());
    for round in 0..ROUNDS {
        let token = NewMailToken {
            digest: digest(round),
            user_id: ada,
            purpose: MailPurpose::ResetPassword,
            expires_at: at().plus(Duration::from_secs(60)),
        };
        assert!(one.open(session(ada, round), &hash(&one, ada).await).await.unwrap());
        one.issue(token).await.unwrap();
        let token = digest(round);
        let (first, second) = tokio::join!(
            one.reset_password(&token, "one", at()),
            other.reset_password(&token, "other", at()),
        );
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_ne!(first.is_some(), second.is_some());
        let ended = first.or(second).unwrap();
        assert_eq!(ended.len() as u128, round + 1, "the one that is open, and those before it");
        let (first, second) = tokio::join!(
            one.spend_recovery_code(ada, &codes[round as usize]),
            other.spend_recovery_code(ada, &codes[round as usize]),
        );
        assert_ne!(first.unwrap(), second.unwrap());
        let step = 2 + round as u64;
        let (first, second) = tokio::join!(one.spend_step(ada, step), other.spend_step(ada, step));
        assert_ne!(first.unwrap(), second.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_ended_twice_at_once_ends_once() {
    let all = People::new(4).await;
    let ada = all.id(0);
    for round in 0..8 {
        all.group(round, ada, &[all.id(1), all.id(2)]).await;
    }
    let accounts = PgAccounts::new(all.database());
    assert!(accounts.open(session(ada, 0), &hash(&accounts, ada).await).await.unwrap());
    let people = PgPeople::new(all.database());
    people.ask(request(0), ada, all.id(1), at()).await.unwrap();
    people.block(all.id(2), ada, at()).await.unwrap();
    assert!(!residue(&all, 0).await.is_empty());
    let (one, other) = (PgErasure::new(all.database()), PgErasure::new(all.database()));
    let (one, other) = tokio::join!(erase_all(&one, ada, at()), erase_all(&other, ada, at()));
    let ((one, changes), (other, others)) = (one.unwrap(), other.unwrap());
    assert!(one.sessions.len() == 1 || other.sessions.len() == 1);
    let ended = [one.sessions.clone(), other.sessions.clone()].concat();
    PgErasure::new(all.database()).forget_sessions(&ended).await.unwrap();
    assert_eq!(changes.len() + others.len(), 8, "each is told once");
    assert_eq!(residue(&all, 0).await, []);
    for round in 0..8 {
        let group = People::group_id(round);
        let messages = PgMessages::new(all.database());
        let told = messages.changes(all.id(1), group, Seq(1), 50).await.unwrap().unwrap().items;
        let events: Vec<_> = told.iter().map(|one| one.event.clone().unwrap()).collect();
        let types: Vec<_> = events.iter().map(|event| event.event_type).collect();
        assert_eq!(types, [EventType::RoleChanged, EventType::MemberLeft]);
        assert_eq!(events[0].user_ids, [all.id(1)], "who was there first");
        assert_eq!(all.owners(group).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_for_who_ends_at_the_same_time() {
    let all = People::new(2 + ROUNDS).await;
    let ada = all.id(0);
    for round in 0..ROUNDS {
        let leaver = all.id(2 + round);
        let group = all.group(round, ada, &[]).await;
        let erasure = PgErasure::new(all.database());
        let accounts = PgAccounts::new(all.database());
        let (people, second) = (PgPeople::new(all.database()), PgAccounts::new(all.database()));
        let proven = hash(&accounts, leaver).await;
        let (erased, added, opened, asked, begun) = tokio::join!(
            erase_all(&erasure, leaver, at()),
            all.change(group, ada, GroupChange::Add(vec![leaver])),
            accounts.open(session(leaver, round), &proven),
            people.ask(request(round), ada, leaver, at()),
            second.begin(leaver, "sealed"),
        );
        // The job looks once more, and forgets what it has told.
        erased.unwrap();
        let ended = erase_all(&erasure, leaver, at()).await.unwrap().0.sessions;
        erasure.forget_sessions(&ended).await.unwrap();
        assert!(matches!(added, Ok(_) | Err(GroupError::UnknownUsers(_))), "{added:?}");
        let _ = (opened, asked, begun);
        assert_eq!(residue(&all, 2 + round).await, [], "round {round}");
    }
}

/// Whoever is first: a session that was opened with the old password ends with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_with_the_old_password_does_not_outlive_its_end() {
    let all = People::new(1).await;
    let ada = all.id(0);
    let (one, other) = (PgAccounts::new(all.database()), PgAccounts::new(all.database()));
    let mut opened_first = 0;
    for round in 0..4 * ROUNDS {
        let old = hash(&one, ada).await;
        let number = 1_000 + round;
        let identity = Identity { user_id: ada, session_id: session(ada, number).id };
        if round % 2 == 0 {
            let token = NewMailToken {
                digest: digest(number),
                user_id: ada,
                purpose: MailPurpose::ResetPassword,
                expires_at: at().plus(Duration::from_secs(60)),
            };
            one.issue(token).await.unwrap();
            let (new, token) = (format!("reset {round}"), digest(number));
            let (opened, reset) = tokio::join!(
                one.open(session(ada, number), &old),
                other.reset_password(&token, &new, at()),
            );
            assert!(reset.unwrap().is_some());
            opened_first += u32::from(opened.unwrap());
        } else {
            let keep = Identity { user_id: ada, session_id: session(ada, 500 + round).id };
            assert!(one.open(session(ada, 500 + round), &old).await.unwrap());
            let new = format!("changed {round}");
            let (opened, changed) = tokio::join!(
                one.open(session(ada, number), &old),
                other.change(keep, &old, &new, at()),
            );
            assert!(changed.unwrap().is_some());
            opened_first += u32::from(opened.unwrap());
        }
        assert!(!one.is_active(identity).await.unwrap(), "round {round}");
    }
    assert!(opened_first > 0, "in no round the sign-in was first");
}
