//! `MailTokenStore`.

use domain::{Timestamp, UserId};
use service::Identity;
use service::port::{MailPurpose, NewMailToken};

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

use MailPurpose::{ResetPassword, VerifyEmail};

/// Ada's token with this number, which expires at 100 s.
async fn issue(ports: &HistoryPorts, number: u32, purpose: MailPurpose) -> String {
    issue_to(ports, ADA, number, purpose).await
}

async fn issue_to(
    ports: &HistoryPorts,
    user_id: UserId,
    number: u32,
    purpose: MailPurpose,
) -> String {
    let digest = digest(0xA11_0000 + number);
    let token = NewMailToken { digest: digest.clone(), user_id, purpose, expires_at: at(100) };
    ports.mail_tokens.issue(token).await.expect("issues");
    digest
}

async fn verify(ports: &HistoryPorts, digest: &str, now: Timestamp) -> bool {
    ports.mail_tokens.verify_email(digest, now).await.expect("answers")
}

async fn reset(ports: &HistoryPorts, digest: &str, now: Timestamp) -> Option<Vec<Identity>> {
    ports.mail_tokens.reset_password(digest, "a new hash", now).await.expect("answers")
}

async fn is_verified(ports: &HistoryPorts, user: UserId) -> bool {
    ports.users.user(user).await.expect("reads").expect("somebody").email_verified
}

async fn hash(ports: &HistoryPorts, user: UserId) -> String {
    ports.passwords.hash_of(user).await.expect("reads").expect("somebody")
}

pub async fn a_token_verifies_an_address_once(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let token = issue(&ports, 1, VerifyEmail).await;
    assert!(verify(&ports, &token, at(50)).await);
    assert!(is_verified(&ports, ADA).await && !is_verified(&ports, BOB).await);
    assert!(!verify(&ports, &token, at(50)).await, "it is spent");
}

pub async fn a_reset_sets_the_password_and_ends_every_session(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for number in [10, 11] {
        open_session(&ports, new_session(ADA, number)).await;
    }
    ports.sessions.revoke(session_id(11), at(2)).await.expect("revokes");
    let token = issue(&ports, 1, ResetPassword).await;
    let mut ended = reset(&ports, &token, at(99)).await.expect("it is valid");
    ended.sort_by_key(|identity| identity.session_id);
    let of_ada = |number| Identity { user_id: ADA, session_id: session_id(number) };
    assert_eq!(ended, [of_ada(0), of_ada(10), of_ada(11)], "also the one that ended lately");
    for number in [0, 10, 11] {
        assert!(!ports.sessions.is_active(of_ada(number)).await.expect("reads"));
    }
    assert_eq!(hash(&ports, ADA).await, "a new hash");
    assert_eq!(hash(&ports, BOB).await, "hash of bob");
    assert!(is_verified(&ports, ADA).await, "the token came by her mailbox");
    assert!(!is_verified(&ports, BOB).await);
    let bob = Identity { user_id: BOB, session_id: session_id(1) };
    assert!(ports.sessions.is_active(bob).await.expect("reads"));
    assert_eq!(reset(&ports, &token, at(99)).await, None, "it is spent");
}

pub async fn a_token_is_worth_nothing_once_it_expires(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let (mine, other) =
        (issue(&ports, 1, ResetPassword).await, issue(&ports, 2, VerifyEmail).await);
    for now in [at(100), at(100_000)] {
        assert_eq!(reset(&ports, &mine, now).await, None);
        assert!(!verify(&ports, &other, now).await);
    }
    assert_eq!(hash(&ports, ADA).await, "hash of ada");
    assert!(!is_verified(&ports, ADA).await);
    let identity = Identity { user_id: ADA, session_id: session_id(0) };
    assert!(ports.sessions.is_active(identity).await.expect("reads"));
}

pub async fn a_token_is_good_for_its_purpose_only(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let (for_reset, for_address) =
        (issue(&ports, 1, ResetPassword).await, issue(&ports, 2, VerifyEmail).await);
    assert!(!verify(&ports, &for_reset, at(50)).await);
    assert_eq!(reset(&ports, &for_address, at(50)).await, None);
    assert_eq!(hash(&ports, ADA).await, "hash of ada");
    // Both are still good for what they are for.
    assert!(verify(&ports, &for_address, at(50)).await);
    assert!(reset(&ports, &for_reset, at(50)).await.is_some());
}

pub async fn a_newer_token_kills_the_older_of_its_kind(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let address = issue(&ports, 1, VerifyEmail).await;
    let of_bob = issue_to(&ports, BOB, 2, ResetPassword).await;
    let older = issue(&ports, 3, ResetPassword).await;
    let newer = issue(&ports, 4, ResetPassword).await;
    assert_eq!(reset(&ports, &older, at(50)).await, None);
    assert!(reset(&ports, &newer, at(50)).await.is_some());
    assert!(reset(&ports, &of_bob, at(50)).await.is_some(), "it is somebody else's");
    assert!(verify(&ports, &address, at(50)).await, "it is for something else");
}

pub async fn an_unknown_token_changes_nothing(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let long = "f".repeat(100_000);
    for token in ["", "\u{0}", "' OR 1=1 --", &digest(7), &long] {
        assert!(!verify(&ports, token, at(50)).await, "{token:.40}");
        assert_eq!(reset(&ports, token, at(50)).await, None, "{token:.40}");
    }
}

pub async fn of_two_resets_at_once_one_wins(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let token = issue(&ports, 1, ResetPassword).await;
    let (one, other) = (fixture.process(), fixture.process());
    let (first, second) = tokio::join!(reset(&one, &token, at(50)), reset(&other, &token, at(50)));
    assert_eq!(usize::from(first.is_some()) + usize::from(second.is_some()), 1);
    let token = issue(&ports, 2, VerifyEmail).await;
    let (first, second) =
        tokio::join!(verify(&one, &token, at(50)), verify(&other, &token, at(50)));
    assert!(first != second);
}

pub async fn a_reset_token_tells_its_owner_and_is_not_spent_by_it(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let owner = async |digest: &str, now| {
        let owner = ports.mail_tokens.reset_owner(digest, now).await.expect("reads");
        owner.map(|user| user.id)
    };
    let for_reset = issue_to(&ports, BOB, 1, ResetPassword).await;
    let for_address = issue_to(&ports, BOB, 2, VerifyEmail).await;
    for _ in 0..2 {
        assert_eq!(owner(&for_reset, at(99)).await, Some(BOB));
    }
    assert_eq!(owner(&for_address, at(50)).await, None, "it is for something else");
    assert_eq!(owner(&for_reset, at(100)).await, None, "it has expired");
    for unknown in ["", "\u{0}", "' OR 1=1 --", &digest(7)] {
        assert_eq!(owner(unknown, at(50)).await, None, "{unknown:.40}");
    }
    assert!(reset(&ports, &for_reset, at(50)).await.is_some());
    assert_eq!(owner(&for_reset, at(50)).await, None, "it is spent");
}
