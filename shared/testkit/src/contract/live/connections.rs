//! `ConnectionStore`

use domain::{Timestamp, limits};
use service::port::ConnectionStore;
use service::{Connection, Identity};

use super::sample::{connection, connection_id, identity, session, user};
use crate::ambient::at_ms;

/// One test a promise.
#[macro_export]
macro_rules! connection_promises {
    ($open:expr) => {
        $crate::promises! {
            connections, ($crate::contract::live::connections), $open,
            [
                an_open_connection_is_found_by_its_name_and_by_its_user,
                the_second_device_does_not_replace_the_first,
                closing_one_device_leaves_the_other,
                closing_twice_is_fine,
                an_old_disconnect_after_a_new_connect_takes_only_its_own,
                an_unknown_connection_is_nobody,
                a_heartbeat_raises_the_lease,
                a_connection_without_a_heartbeat_is_not_told_of,
                a_connection_older_than_its_record_is_nobody,
                a_pruned_connection_comes_back_with_its_heartbeat,
                pruning_what_is_not_there_is_fine,
                many_users_are_looked_up_at_once,
                ending_a_session_tells_its_connections_though_they_were_silent_for_long,
                an_ended_session_opens_no_connection_and_keeps_none_alive,
                sessions_may_end_again_and_again,
            ]
        }
    };
}

async fn open(port: &impl ConnectionStore, name: &str, of_user: u128) -> Connection {
    let opened = connection(name, of_user, at_ms(0));
    assert!(port.open(&opened).await.expect("open"), "its session has not ended");
    opened
}

async fn of_user(port: &impl ConnectionStore, number: u128, now: Timestamp) -> Vec<Connection> {
    let mut found = port.of_users(&[user(number)], now).await.expect("of_users");
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

pub async fn an_open_connection_is_found_by_its_name_and_by_its_user(port: &impl ConnectionStore) {
    let opened = open(port, "a", 1).await;
    assert_eq!(port.get(&opened.id).await.expect("get"), Some(opened.clone()));
    assert_eq!(of_user(port, 1, at_ms(1)).await, [opened]);
    assert_eq!(of_user(port, 2, at_ms(1)).await, []);
}

pub async fn the_second_device_does_not_replace_the_first(port: &impl ConnectionStore) {
    let both = [open(port, "a", 1).await, open(port, "b", 1).await];
    assert_eq!(of_user(port, 1, at_ms(1)).await, both);
}

pub async fn closing_one_device_leaves_the_other(port: &impl ConnectionStore) {
    let (first, second) = (open(port, "a", 1).await, open(port, "b", 1).await);
    assert_eq!(port.close(&first.id, at_ms(1)).await.expect("close"), Some(first.clone()));
    assert_eq!(port.get(&first.id).await.expect("get"), None);
    assert_eq!(of_user(port, 1, at_ms(1)).await, [second]);
}

pub async fn closing_twice_is_fine(port: &impl ConnectionStore) {
    let opened = open(port, "a", 1).await;
    assert_eq!(port.close(&opened.id, at_ms(1)).await.expect("close"), Some(opened.clone()));
    assert_eq!(port.close(&opened.id, at_ms(1)).await.expect("close"), None);
    assert_eq!(of_user(port, 1, at_ms(1)).await, []);
}

pub async fn an_old_disconnect_after_a_new_connect_takes_only_its_own(port: &impl ConnectionStore) {
    let old = open(port, "old", 1).await;
    let new = open(port, "new", 1).await;
    port.close(&old.id, at_ms(1)).await.expect("close");
    assert_eq!(port.get(&new.id).await.expect("get"), Some(new.clone()));
    assert_eq!(of_user(port, 1, at_ms(1)).await, [new]);
}

pub async fn an_unknown_connection_is_nobody(port: &impl ConnectionStore) {
    let id = connection_id("never");
    assert_eq!(port.get(&id).await.expect("get"), None);
    assert_eq!(port.touch(&id, at_ms(0)).await.expect("touch"), None);
    assert_eq!(port.close(&id, at_ms(1)).await.expect("close"), None);
}

pub async fn a_heartbeat_raises_the_lease(port: &impl ConnectionStore) {
    let opened = open(port, "a", 1).await;
    let beat_at = at_ms(0).plus(limits::HEARTBEAT_INTERVAL);
    let touched = port.touch(&opened.id, beat_at).await.expect("touch").expect("known");
    assert_eq!(touched, Connection { seen_at: beat_at, ..opened });
    let after_the_first_lease = at_ms(1).plus(limits::CONNECTION_LEASE);
    assert_eq!(of_user(port, 1, after_the_first_lease).await, [touched]);
}

pub async fn a_connection_without_a_heartbeat_is_not_told_of(port: &impl ConnectionStore) {
    let opened = open(port, "a", 1).await;
    let end = at_ms(0).plus(limits::CONNECTION_LEASE);
    assert_eq!(of_user(port, 1, at_ms(-1).plus(limits::CONNECTION_LEASE)).await, [opened]);
    assert_eq!(of_user(port, 1, end).await, []);
}

pub async fn a_connection_older_than_its_record_is_nobody(port: &impl ConnectionStore) {
    let opened = open(port, "a", 1).await;
    let last = at_ms(-1).plus(limits::CONNECTION_RECORD_LIFETIME);
    let end = at_ms(0).plus(limits::CONNECTION_RECORD_LIFETIME);
    assert!(port.touch(&opened.id, last).await.expect("touch").is_some());
    assert_eq!(of_user(port, 1, last).await.len(), 1);
    assert_eq!(port.touch(&opened.id, end).await.expect("touch"), None);
    assert_eq!(of_user(port, 1, end).await, []);
}

pub async fn a_pruned_connection_comes_back_with_its_heartbeat(port: &impl ConnectionStore) {
    let (pruned, other) = (open(port, "a", 1).await, open(port, "b", 1).await);
    port.prune(&pruned).await.expect("prune");
    assert_eq!(of_user(port, 1, at_ms(1)).await, std::slice::from_ref(&other));
    assert_eq!(port.get(&pruned.id).await.expect("get"), Some(pruned.clone()));
    let touched = port.touch(&pruned.id, at_ms(2)).await.expect("touch").expect("known");
    assert_eq!(of_user(port, 1, at_ms(3)).await, [touched, other]);
}

pub async fn pruning_what_is_not_there_is_fine(port: &impl ConnectionStore) {
    let never = connection("never", 1, at_ms(0));
    port.prune(&never).await.expect("prune");
    port.prune(&never).await.expect("prune");
    assert_eq!(of_user(port, 1, at_ms(1)).await, []);
}

pub async fn many_users_are_looked_up_at_once(port: &impl ConnectionStore) {
    let mut opened = Vec::new();
    for number in 0..25 {
        opened.push(open(port, &format!("c{number:03}"), number * 10).await);
    }
    let mut users: Vec<_> = (0..250).map(user).collect();
    users.push(user(0));
    let mut found = port.of_users(&users, at_ms(1)).await.expect("of_users");
    found.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(found, opened);
    assert_eq!(port.of_users(&[], at_ms(1)).await.expect("of_users"), []);
}

/// A connection of the user 1 in this session.
fn of_session(name: &str, number: u128, since: Timestamp) -> Connection {
    let identity = Identity { session_id: session(number), ..identity(1) };
    Connection { identity, ..connection(name, 1, since) }
}

pub async fn ending_a_session_tells_its_connections_though_they_were_silent_for_long(
    port: &impl ConnectionStore,
) {
    let [first, second] = ["a", "b"].map(|name| of_session(name, 7, at_ms(0)));
    for opened in [&first, &second, &of_session("other", 8, at_ms(0))] {
        assert!(port.open(opened).await.expect("open"));
    }
    let late = at_ms(0).plus(limits::CONNECTION_LEASE);
    let mut ended = port.end_session(first.identity, late).await.expect("end");
    ended.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(ended, [first.clone(), second]);
    let end = at_ms(0).plus(limits::CONNECTION_RECORD_LIFETIME);
    assert_eq!(port.end_session(first.identity, end).await.expect("end"), []);
}

pub async fn an_ended_session_opens_no_connection_and_keeps_none_alive(
    port: &impl ConnectionStore,
) {
    let (ended, other) = (of_session("a", 7, at_ms(0)), of_session("b", 8, at_ms(0)));
    assert!(port.open(&ended).await.expect("open"));
    assert!(port.open(&other).await.expect("open"));
    port.end_session(ended.identity, at_ms(1)).await.expect("end");
    port.prune(&ended).await.expect("prune");
    let late = of_session("late", 7, at_ms(1));
    assert!(!port.open(&late).await.expect("open"));
    assert_eq!(port.get(&late.id).await.expect("get"), None);
    assert_eq!(port.touch(&ended.id, at_ms(2)).await.expect("touch"), None);
    let touched = port.touch(&other.id, at_ms(2)).await.expect("touch").expect("known");
    assert_eq!(of_user(port, 1, at_ms(3)).await, [touched]);
}

pub async fn sessions_may_end_again_and_again(port: &impl ConnectionStore) {
    for number in 0..4 {
        // Long enough that the mark of the one before is of no use any more.
        let later = limits::CONNECTION_RECORD_LIFETIME * 2 * u32::try_from(number).expect("small");
        let opened = of_session("a", number, at_ms(0).plus(later));
        assert!(port.open(&opened).await.expect("open"));
        let ended = port.end_session(opened.identity, opened.since).await.expect("end");
        assert_eq!(ended, std::slice::from_ref(&opened));
        port.close(&opened.id, opened.since).await.expect("close");
        assert!(!port.open(&opened).await.expect("open"));
    }
}
