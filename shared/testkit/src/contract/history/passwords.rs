//! `PasswordStore`.

use service::Identity;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

async fn change(ports: &HistoryPorts, keep: Identity, proven: &str) -> Option<Vec<Identity>> {
    ports.passwords.change(keep, proven, "a new hash", at(9)).await.expect("answers")
}

pub async fn a_change_of_password_ends_the_other_sessions(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in [10, 11] {
        open_session(&ports, new_session(ADA, number)).await;
    }
    ports.sessions.revoke(session_id(11), at(2)).await.expect("revokes");
    let of_ada = |number| Identity { user_id: ADA, session_id: session_id(number) };
    let ended = change(&ports, of_ada(0), "hash of ada").await;
    let lately = "the sockets of the one that ended lately may be open still";
    assert_eq!(ended, Some(vec![of_ada(10), of_ada(11)]), "{lately}");
    assert!(ports.sessions.is_active(of_ada(0)).await.expect("reads"));
    assert!(!ports.sessions.is_active(of_ada(10)).await.expect("reads"));
    let hash = ports.passwords.hash_of(ADA).await.expect("reads");
    assert_eq!(hash.as_deref(), Some("a new hash"));
    let known = ports.users.credentials("ada").await.expect("reads").expect("Ada");
    assert_eq!(known.password_hash, "a new hash");
    let bob = Identity { user_id: BOB, session_id: session_id(1) };
    assert!(ports.sessions.is_active(bob).await.expect("reads"));
}

pub async fn nobody_has_no_password(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(ports.passwords.hash_of(NOBODY).await.expect("reads"), None);
    let hash = ports.passwords.hash_of(BOB).await.expect("reads");
    assert_eq!(hash.as_deref(), Some("hash of bob"));
}

pub async fn a_password_is_hashed_again_unless_it_was_changed(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert!(ports.passwords.rehash(ADA, "hash of ada", "newer").await.expect("writes"));
    assert_eq!(ports.passwords.hash_of(ADA).await.expect("reads").as_deref(), Some("newer"));
    // Somebody set another password between the reading and the writing.
    assert!(!ports.passwords.rehash(ADA, "hash of ada", "newest").await.expect("writes"));
    assert!(!ports.passwords.rehash(NOBODY, "hash of ada", "newest").await.expect("writes"));
    assert_eq!(ports.passwords.hash_of(ADA).await.expect("reads").as_deref(), Some("newer"));
    let identity = Identity { user_id: ADA, session_id: session_id(0) };
    assert!(ports.sessions.is_active(identity).await.expect("reads"), "it ends no session");
}

pub async fn who_proved_another_password_changes_nothing(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    open_session(&ports, new_session(ADA, 10)).await;
    let of_ada = |number| Identity { user_id: ADA, session_id: session_id(number) };
    assert_eq!(change(&ports, of_ada(0), "hash of bob").await, None);
    let of_nobody = Identity { user_id: NOBODY, session_id: session_id(9) };
    assert_eq!(change(&ports, of_nobody, "hash of ada").await, None);
    let of_another = Identity { user_id: ADA, session_id: session_id(1) };
    assert_eq!(change(&ports, of_another, "hash of ada").await, None, "that session is Bob's");
    ports.sessions.revoke(session_id(0), at(2)).await.expect("revokes");
    assert_eq!(change(&ports, of_ada(0), "hash of ada").await, None, "its session has ended");
    let hash = ports.passwords.hash_of(ADA).await.expect("reads");
    assert_eq!(hash.as_deref(), Some("hash of ada"));
    assert!(ports.sessions.is_active(of_ada(10)).await.expect("reads"));
    assert_eq!(change(&ports, of_ada(10), "hash of ada").await, Some(vec![of_ada(0)]));
}
