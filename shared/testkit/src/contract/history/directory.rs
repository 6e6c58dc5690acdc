//! `SessionDirectory`.

use domain::{Timestamp, UserId, limits};
use service::port::{NewRefreshToken, NewSession, Rotation};
use service::{Device, Identity, SessionView};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

async fn open(ports: &HistoryPorts, user: UserId, number: u32, created_at: Timestamp) {
    let session = NewSession { created_at, ..new_session(user, number) };
    open_session(ports, session).await;
}

async fn refresh(ports: &HistoryPorts, spent: u32, fresh: NewRefreshToken, now: Timestamp) {
    let rotated = ports.sessions.rotate(&digest(spent), fresh, now).await.expect("refreshes");
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
}

async fn list(ports: &HistoryPorts, user: UserId, now: Timestamp) -> Vec<SessionView> {
    ports.directory.list(user, now).await.expect("lists")
}

async fn ids(ports: &HistoryPorts, now: Timestamp) -> Vec<domain::SessionId> {
    list(ports, ADA, now).await.into_iter().map(|view| view.id).collect()
}

/// By Ada from the session with this number; those that are told, by their ids.
async fn revoke_others(ports: &HistoryPorts, by: u32, now: Timestamp) -> Option<Vec<Identity>> {
    let mut ended = ports.directory.revoke_others(of_ada(by), now).await.expect("answers")?;
    ended.sort_by_key(|identity| identity.session_id);
    Some(ended)
}

fn of_ada(number: u32) -> Identity {
    Identity { user_id: ADA, session_id: session_id(number) }
}

pub async fn a_session_is_found_though_it_has_ended_and_not_with_its_account(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    open(&ports, ADA, 10, at(10)).await;
    ports.sessions.revoke(session_id(10), at(11)).await.expect("revokes");
    let found = ports.directory.find(of_ada(10)).await.expect("reads").expect("a session");
    assert_eq!((found.id, found.created_at), (session_id(10), at(10)));
    assert_eq!(found.device_name.as_deref(), Some("a phone"));
    for (user_id, number) in [(BOB, 10), (ADA, 99)] {
        let other = Identity { user_id, session_id: session_id(number) };
        assert_eq!(ports.directory.find(other).await.expect("reads"), None);
    }
    ports.erasure.end_account(ADA, at(12)).await.expect("ends");
    assert_eq!(ports.directory.find(of_ada(0)).await.expect("reads"), None);
}

pub async fn sessions_are_listed_by_their_last_use(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open(&ports, ADA, 10, at(10)).await;
    open(&ports, ADA, 11, at(11)).await;
    assert_eq!(ids(&ports, at(12)).await, [11, 10, 0].map(session_id));
    refresh(&ports, 10, token(20), at(20)).await;
    assert_eq!(ids(&ports, at(21)).await, [10, 11, 0].map(session_id));
    let views = list(&ports, ADA, at(21)).await;
    let expected = SessionView {
        id: session_id(10),
        device_name: Some("a phone".into()),
        address: None,
        created_at: at(10),
        last_used_at: at(20),
    };
    assert_eq!(views[0], expected);
    assert_eq!((views[1].created_at, views[1].last_used_at), (at(11), at(11)));
    let of_bob = list(&ports, BOB, at(21)).await;
    assert_eq!((of_bob.len(), of_bob[0].id), (1, session_id(1)));
    assert_eq!(list(&ports, NOBODY, at(21)).await, []);
}

pub async fn what_cannot_be_refreshed_any_more_is_not_listed(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open(&ports, ADA, 10, at(10)).await;
    open(&ports, ADA, 11, at(10)).await;
    ports.sessions.revoke(session_id(11), at(20)).await.expect("revokes");
    // The tokens of a scene expire at 1,000 s; this one lives on.
    let fresh = NewRefreshToken { expires_at: at(2_000), ..token(20) };
    refresh(&ports, 10, fresh, at(999)).await;
    let mut alive = ids(&ports, at(999)).await;
    alive.sort();
    assert_eq!(alive, [0, 10].map(session_id));
    assert_eq!(ids(&ports, at(1_000)).await, [session_id(10)]);
    assert_eq!(ids(&ports, at(2_000)).await, []);
}

pub async fn a_session_is_revoked_by_its_owner_however_often(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let revoke = async |user, number| {
        ports.directory.revoke_one(user, session_id(number), at(20)).await.expect("answers")
    };
    assert!(!revoke(BOB, 0).await, "it is Ada's");
    assert!(!revoke(ADA, 99).await, "there is none");
    assert!(ports.sessions.is_active(of_ada(0)).await.expect("reads"));
    assert!(revoke(ADA, 0).await);
    assert!(revoke(ADA, 0).await, "its sockets may be open still");
    assert!(!ports.sessions.is_active(of_ada(0)).await.expect("reads"));
    let refused = ports.sessions.rotate(&digest(0), token(20), at(21)).await.expect("answers");
    assert_eq!(refused, Rotation::Refused);
}

pub async fn the_other_sessions_are_revoked_together(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in 10..13 {
        open(&ports, ADA, number, at(10)).await;
    }
    ports.sessions.revoke(session_id(12), at(11)).await.expect("revokes");
    let expected = [of_ada(0), of_ada(11), of_ada(12)];
    assert_eq!(revoke_others(&ports, 10, at(20)).await.expect("its session stays"), expected);
    assert_eq!(ids(&ports, at(21)).await, [session_id(10)]);
    assert_eq!(list(&ports, BOB, at(21)).await.len(), 1);
    let again = revoke_others(&ports, 10, at(22)).await.expect("its session stays");
    assert_eq!(again, expected, "their sockets may be open still");
    let of_the_second = at(11).plus(limits::CONNECTION_RECORD_LIFETIME);
    let later = revoke_others(&ports, 10, of_the_second).await.expect("its session stays");
    assert_eq!(later, [of_ada(0), of_ada(11)], "its sockets ended by themselves");
}

pub async fn a_session_that_has_ended_revokes_no_other(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open(&ports, ADA, 10, at(10)).await;
    ports.sessions.revoke(session_id(10), at(11)).await.expect("revokes");
    for number in [10, 99, 1] {
        assert_eq!(revoke_others(&ports, number, at(20)).await, None, "{number}");
    }
    assert!(ports.sessions.is_active(of_ada(0)).await.expect("reads"));
}

pub async fn of_two_who_revoke_each_other_at_once_one_stays(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open(&ports, ADA, 10, at(10)).await;
    let other = fixture.process();
    let (first, second) =
        tokio::join!(revoke_others(&ports, 0, at(20)), revoke_others(&other, 10, at(20)));
    assert_ne!(first.is_some(), second.is_some(), "{first:?} {second:?}");
    assert_eq!(ids(&ports, at(21)).await.len(), 1);
}

pub async fn one_session_too_many_ends_the_least_used(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let first = 1_000;
    let after = first + u32::try_from(limits::SESSIONS_PER_USER).expect("a small number");
    // Together with the one of the scene there is one too many.
    for number in first..after {
        open(&ports, ADA, number, at(u64::from(number - first) + 10)).await;
    }
    let active = async |number| ports.sessions.is_active(of_ada(number)).await.expect("reads");
    assert!(!active(0).await, "it was used before all others");
    assert_eq!(ids(&ports, at(900)).await.len(), limits::SESSIONS_PER_USER);
    refresh(&ports, first, token(20), at(500)).await;
    open(&ports, ADA, after, at(501)).await;
    assert!(active(first).await && !active(first + 1).await && active(first + 2).await);
    assert_eq!(ids(&ports, at(900)).await.len(), limits::SESSIONS_PER_USER);
    assert_eq!(list(&ports, BOB, at(900)).await.len(), 1);
}

pub async fn a_device_is_known_by_its_name_and_address(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let device = |name: Option<&str>, address: Option<&str>| Device {
        name: name.map(str::to_owned),
        address: address.map(str::to_owned),
    };
    let knows = async |user, device: Device| {
        ports.directory.knows_device(user, &device).await.expect("answers")
    };
    let phone = device(Some("a phone"), None);
    let laptop = device(Some("a laptop"), Some("192.0.2.7"));
    let session = NewSession {
        device_name: laptop.name.clone(),
        address: laptop.address.clone(),
        ..new_session(ADA, 10)
    };
    assert!(!knows(ADA, laptop.clone()).await);
    open_session(&ports, session).await;
    assert!(knows(ADA, laptop.clone()).await && knows(ADA, phone.clone()).await);
    assert!(!knows(BOB, laptop.clone()).await && !knows(NOBODY, phone).await);
    for other in [
        device(Some("a laptop"), None),
        device(None, Some("192.0.2.7")),
        device(Some("a laptop"), Some("192.0.2.8")),
        device(None, None),
    ] {
        assert!(!knows(ADA, other.clone()).await, "{other:?}");
    }
    ports.sessions.revoke(session_id(10), at(20)).await.expect("revokes");
    assert!(knows(ADA, laptop).await, "it was known once");
    let nameless = NewSession { device_name: None, ..new_session(ADA, 11) };
    open_session(&ports, nameless).await;
    assert!(knows(ADA, device(None, None)).await);
}
