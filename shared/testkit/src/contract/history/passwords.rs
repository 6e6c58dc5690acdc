//! `PasswordStore`.

use service::Identity;

use super::HistoryFixture;
use super::scene::*;

pub async fn a_change_of_password_ends_the_other_sessions(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in [10, 11] {
        ports.sessions.open(new_session(ADA, number)).await.expect("opens");
    }
    ports.sessions.revoke(session_id(11), at(2)).await.expect("revokes");
    let of_ada = |number| Identity { user_id: ADA, session_id: session_id(number) };
    let ended = ports.passwords.change(of_ada(0), "a new hash", at(9)).await.expect("changes");
    assert_eq!(ended, [of_ada(10)], "those that were active");
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
    ports.passwords.rehash(ADA, "hash of ada", "newer").await.expect("writes");
    assert_eq!(ports.passwords.hash_of(ADA).await.expect("reads").as_deref(), Some("newer"));
    // Somebody set another password between the reading and the writing.
    ports.passwords.rehash(ADA, "hash of ada", "newest").await.expect("writes");
    assert_eq!(ports.passwords.hash_of(ADA).await.expect("reads").as_deref(), Some("newer"));
    let identity = Identity { user_id: ADA, session_id: session_id(0) };
    assert!(ports.sessions.is_active(identity).await.expect("reads"), "it ends no session");
}
