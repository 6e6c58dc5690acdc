//! `SessionStore`.

use domain::{Timestamp, limits};
use service::Identity;
use service::port::Rotation;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

/// Ada's session of `three_people`, whose refresh token has the number 0.
const ADAS_SESSION: u32 = 0;

fn ada() -> Identity {
    Identity { user_id: ADA, session_id: session_id(ADAS_SESSION) }
}

async fn rotate(ports: &HistoryPorts, from: u32, to: u32, now: Timestamp) -> Rotation {
    ports.sessions.rotate(&digest(from), token(to), now).await.expect("rotates")
}

async fn is_active(ports: &HistoryPorts) -> bool {
    ports.sessions.is_active(ada()).await.expect("reads")
}

pub async fn a_session_is_active_until_it_is_revoked(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open_session(&ports, new_session(ADA, 7)).await;
    assert!(is_active(&ports).await);
    for _ in 0..2 {
        ports.sessions.revoke(ada().session_id, at(5)).await.expect("revokes");
        assert!(!is_active(&ports).await);
    }
    let other = Identity { session_id: session_id(7), ..ada() };
    assert!(ports.sessions.is_active(other).await.expect("reads"));
    ports.sessions.revoke(session_id(99), at(5)).await.expect("an unknown one is fine");
}

pub async fn a_session_is_active_for_its_own_user_only(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let mixed = Identity { user_id: BOB, ..ada() };
    assert!(!ports.sessions.is_active(mixed).await.expect("reads"));
    let unknown = Identity { session_id: session_id(99), ..ada() };
    assert!(!ports.sessions.is_active(unknown).await.expect("reads"));
}

pub async fn a_refresh_token_is_exchanged_for_the_next(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(rotate(&ports, 0, 100, at(5)).await, Rotation::Rotated(ada()));
    assert_eq!(rotate(&ports, 100, 101, at(50)).await, Rotation::Rotated(ada()));
    assert_eq!(rotate(&ports, 101, 102, at(500)).await, Rotation::Rotated(ada()));
}

pub async fn an_unknown_or_expired_token_is_refused(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(rotate(&ports, 99, 100, at(5)).await, Rotation::Refused);
    assert_eq!(rotate(&ports, 0, 100, at(1_000)).await, Rotation::Refused);
    let hostile = ports.sessions.rotate("'; --", token(100), at(5)).await.expect("rotates");
    assert_eq!(hostile, Rotation::Refused);
    assert!(is_active(&ports).await);
    assert_eq!(rotate(&ports, 100, 101, at(5)).await, Rotation::Refused);
}

pub async fn a_token_spent_a_moment_ago_yields_a_sibling(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(rotate(&ports, 0, 100, at(5)).await, Rotation::Rotated(ada()));
    let last_moment = at(5).plus(limits::REFRESH_SIBLING_WINDOW);
    assert_eq!(rotate(&ports, 0, 101, last_moment).await, Rotation::Rotated(ada()));
    assert_eq!(rotate(&ports, 100, 102, at(60)).await, Rotation::Rotated(ada()));
    assert_eq!(rotate(&ports, 101, 103, at(60)).await, Rotation::Rotated(ada()));
}

pub async fn a_token_spent_long_ago_ends_its_family(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(rotate(&ports, 0, 100, at(5)).await, Rotation::Rotated(ada()));
    assert_eq!(rotate(&ports, 0, 101, at(60)).await, Rotation::FamilyRevoked(ada()));
    assert!(!is_active(&ports).await);
    for number in [0, 100, 101] {
        assert_eq!(rotate(&ports, number, 102, at(61)).await, Rotation::Refused);
    }
}

pub async fn using_a_spent_token_again_does_not_prolong_its_window(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(rotate(&ports, 0, 100, at(5)).await, Rotation::Rotated(ada()));
    assert_eq!(rotate(&ports, 0, 101, at(14)).await, Rotation::Rotated(ada()));
    assert_eq!(rotate(&ports, 0, 102, at(16)).await, Rotation::FamilyRevoked(ada()));
}

pub async fn two_refreshes_at_once_both_succeed(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let other = fixture.process();
    let (first, second) =
        tokio::join!(rotate(&ports, 0, 100, at(5)), rotate(&other, 0, 101, at(5)));
    assert_eq!((first, second), (Rotation::Rotated(ada()), Rotation::Rotated(ada())));
    for number in [100, 101] {
        let outcome = rotate(&ports, number, number + 10, at(60)).await;
        assert_eq!(outcome, Rotation::Rotated(ada()));
    }
}

pub async fn a_token_of_a_revoked_session_is_refused(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    ports.sessions.revoke(ada().session_id, at(5)).await.expect("revokes");
    assert_eq!(rotate(&ports, 0, 100, at(6)).await, Rotation::Refused);
    assert_eq!(rotate(&ports, 100, 101, at(6)).await, Rotation::Refused);
}

pub async fn a_session_opens_only_with_the_password_of_that_moment(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let open = async |user, number, hash: &str| {
        ports.sessions.open(new_session(user, number), hash).await.expect("answers")
    };
    assert!(!open(ADA, 7, "hash of bob").await);
    assert!(!open(NOBODY, 8, "hash of ada").await);
    assert!(ports.passwords.rehash(ADA, "hash of ada", "a new hash").await.expect("writes"));
    assert!(!open(ADA, 7, "hash of ada").await, "it was compared with the one before");
    for number in [7, 8] {
        let identity = Identity { user_id: ADA, session_id: session_id(number) };
        assert!(!ports.sessions.is_active(identity).await.expect("reads"));
        assert_eq!(rotate(&ports, number, 100, at(5)).await, Rotation::Refused);
    }
    assert!(open(ADA, 7, "a new hash").await);
    assert!(matches!(rotate(&ports, 7, 100, at(5)).await, Rotation::Rotated(_)));
}

pub async fn a_refresh_token_tells_whose_session_it_belongs_to(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let holder = async |digest: &str, now| ports.sessions.holder(digest, now).await.expect("reads");
    assert_eq!(holder(&digest(0), at(5)).await, Some(ADA));
    assert_eq!(holder(&digest(1), at(5)).await, Some(BOB));
    for unknown in [digest(99), "'; --".to_owned(), String::new()] {
        assert_eq!(holder(&unknown, at(5)).await, None, "{unknown:.20}");
    }
    assert_eq!(holder(&digest(0), at(1_000)).await, None, "it has expired");
    assert_eq!(rotate(&ports, 0, 100, at(5)).await, Rotation::Rotated(ada()), "it was not spent");
    assert_eq!(holder(&digest(0), at(6)).await, Some(ADA), "a spent one is still hers");
    ports.sessions.revoke(ada().session_id, at(7)).await.expect("revokes");
    assert_eq!(holder(&digest(100), at(8)).await, None);
}
