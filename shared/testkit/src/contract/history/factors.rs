//! `TwoFactorStore`.

use domain::UserId;
use service::Identity;
use service::port::TwoFactor;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

/// Turned on at step 100, with the recovery codes 1 and 2.
async fn turn_on(ports: &HistoryPorts, user: UserId) {
    assert!(ports.factors.begin(user, "sealed").await.expect("begins"));
    let confirmed = ports.factors.confirm(user, "sealed", 100, &[digest(1), digest(2)]).await;
    assert!(confirmed.expect("confirms"));
}

async fn state(ports: &HistoryPorts, user: UserId) -> TwoFactor {
    ports.factors.state(user).await.expect("reads")
}

async fn spend(ports: &HistoryPorts, user: UserId, step: u64) -> bool {
    ports.factors.spend_step(user, step).await.expect("answers")
}

async fn recover(ports: &HistoryPorts, user: UserId, number: u32) -> bool {
    ports.factors.spend_recovery_code(user, &digest(number)).await.expect("answers")
}

pub async fn a_second_factor_is_off_pending_and_on(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    assert_eq!(state(&ports, ADA).await, TwoFactor::Off);
    let confirm = async |secret, step, digests: &[String]| {
        ports.factors.confirm(ADA, secret, step, digests).await.expect("answers")
    };
    assert!(!confirm("first", 1, &[]).await, "nothing waits");
    for secret in ["first", "second"] {
        assert!(ports.factors.begin(ADA, secret).await.expect("begins"));
        let pending = TwoFactor::Pending { sealed_secret: secret.to_owned() };
        assert_eq!(state(&ports, ADA).await, pending);
    }
    assert!(!confirm("first", 99, &[digest(2)]).await, "it was replaced meanwhile");
    let pending = TwoFactor::Pending { sealed_secret: "second".to_owned() };
    assert_eq!(state(&ports, ADA).await, pending);
    assert!(confirm("second", 100, &[digest(1)]).await);
    let on = TwoFactor::On { sealed_secret: "second".to_owned() };
    assert_eq!(state(&ports, ADA).await, on);
    assert_eq!(state(&ports, BOB).await, TwoFactor::Off);
    assert!(!confirm("second", 101, &[]).await, "it is on already");
    assert!(!recover(&ports, ADA, 2).await, "that confirmation was refused");
    assert!(recover(&ports, ADA, 1).await, "a refused confirmation takes no code away");
}

pub async fn a_factor_that_is_on_is_not_replaced(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    turn_on(&ports, ADA).await;
    assert!(!ports.factors.begin(ADA, "another").await.expect("answers"));
    let on = TwoFactor::On { sealed_secret: "sealed".to_owned() };
    assert_eq!(state(&ports, ADA).await, on);
    assert!(recover(&ports, ADA, 1).await);
}

pub async fn a_step_counts_once_and_none_before_it(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    turn_on(&ports, ADA).await;
    assert!(spend(&ports, ADA, 102).await);
    for step in [102, 101, 0] {
        assert!(!spend(&ports, ADA, step).await, "{step}");
    }
    assert!(spend(&ports, ADA, 103).await);
    assert!(!spend(&ports, BOB, 500).await, "there is nothing to spend");
}

pub async fn the_step_that_confirmed_is_spent(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    turn_on(&ports, ADA).await;
    assert!(!spend(&ports, ADA, 100).await);
    assert!(spend(&ports, ADA, 101).await);
}

pub async fn a_recovery_code_counts_once_and_for_its_owner(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    turn_on(&ports, ADA).await;
    turn_on(&ports, BOB).await;
    assert!(!recover(&ports, CLEO, 1).await);
    assert!(recover(&ports, ADA, 1).await);
    assert!(!recover(&ports, ADA, 1).await, "it is spent");
    assert!(!recover(&ports, ADA, 3).await, "it is unknown");
    assert!(recover(&ports, ADA, 2).await && recover(&ports, BOB, 1).await);
    for hostile in ["", "\u{0}", "' OR 1=1 --"] {
        let spent = ports.factors.spend_recovery_code(BOB, hostile).await.expect("answers");
        assert!(!spent, "{hostile:?}");
    }
}

pub async fn of_two_who_spend_the_same_at_once_one_wins(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    turn_on(&ports, ADA).await;
    let (one, other) = (fixture.process(), fixture.process());
    let (first, second) = tokio::join!(spend(&one, ADA, 101), spend(&other, ADA, 101));
    assert!(first != second);
    let (first, second) = tokio::join!(recover(&one, ADA, 1), recover(&other, ADA, 1));
    assert!(first != second);
}

/// By Ada from the session with this number.
async fn disable(ports: &HistoryPorts, session: u32, proven: &str) -> bool {
    let by = Identity { user_id: ADA, session_id: session_id(session) };
    ports.factors.disable(by, proven).await.expect("answers")
}

pub async fn only_who_proved_the_password_of_that_moment_turns_it_off(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    turn_on(&ports, ADA).await;
    open_session(&ports, new_session(ADA, 10)).await;
    ports.sessions.revoke(session_id(10), at(2)).await.expect("revokes");
    assert!(!disable(&ports, 0, "another hash").await);
    assert!(!disable(&ports, 10, "hash of ada").await, "that session has ended");
    assert!(!disable(&ports, 1, "hash of ada").await, "that session is Bob's");
    let on = TwoFactor::On { sealed_secret: "sealed".to_owned() };
    assert_eq!(state(&ports, ADA).await, on);
    assert!(recover(&ports, ADA, 1).await);
    assert!(disable(&ports, 0, "hash of ada").await);
    assert_eq!(state(&ports, ADA).await, TwoFactor::Off);
}

pub async fn what_is_turned_off_is_forgotten(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    turn_on(&ports, ADA).await;
    for _ in 0..2 {
        assert!(disable(&ports, 0, "hash of ada").await);
        assert_eq!(state(&ports, ADA).await, TwoFactor::Off);
    }
    assert!(!recover(&ports, ADA, 1).await && !spend(&ports, ADA, 200).await);
    assert!(ports.factors.begin(ADA, "another").await.expect("begins"));
    assert!(!recover(&ports, ADA, 2).await);
}
