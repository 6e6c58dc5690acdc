//! `LiveErasure`

use domain::{Presence, Status};
use service::port::{Acquaintance, ConnectionStore, LiveErasure, PresenceStore};

use super::sample::{connection, user};
use crate::ambient::at_ms;

/// One test a promise.
#[macro_export]
macro_rules! live_erasure_promises {
    ($open:expr) => {
        $crate::promises! {
            live_erasure, ($crate::contract::live::erasure), $open,
            [
                sockets_presence_and_watches_go,
                others_keep_what_is_theirs,
                an_erasure_may_be_repeated,
                a_person_with_nothing_leaves_nothing,
            ]
        }
    };
}

/// Person 1 and person 2, each with two sockets, who watch each other.
async fn two_people(port: &(impl ConnectionStore + PresenceStore)) {
    for (number, other) in [(1, 2), (2, 1)] {
        for name in ["phone", "laptop"] {
            let opened = connection(&format!("{name}{number}"), number, at_ms(0));
            assert!(port.open(&opened).await.expect("open"));
            let set = port.set(&opened.id, Status::Away, at_ms(1)).await.expect("set");
            assert!(set.is_some());
            let person = Acquaintance { user_id: user(other), shares_last_seen: true };
            port.watch(&opened, &[person], at_ms(60_000)).await.expect("watch");
        }
        port.announce(user(number), Presence::Away).await.expect("announce");
    }
}

pub async fn sockets_presence_and_watches_go(
    port: &(impl ConnectionStore + PresenceStore + LiveErasure),
) {
    two_people(port).await;
    assert_ne!(port.residue(user(1)).await.expect("residue"), []);
    port.erase(user(1), at_ms(2)).await.expect("erase");
    assert_eq!(port.residue(user(1)).await.expect("residue"), []);
    let ids = ["phone1", "laptop1"].map(|name| connection(name, 1, at_ms(0)).id);
    for id in &ids {
        assert_eq!(port.get(id).await.expect("get"), None);
        assert_eq!(port.touch(id, at_ms(2)).await.expect("touch"), None, "it does not come back");
    }
    let found = ConnectionStore::of_users(port, &[user(1)], at_ms(2)).await.expect("of_users");
    assert_eq!(found, []);
    let seen = PresenceStore::of_users(port, &[user(1)], at_ms(2)).await.expect("of_users");
    let known = seen.iter().any(|one| one.last_seen_at.is_some() || !one.statuses.is_empty());
    assert!(!known, "{seen:?}");
    // Whom they watched is kept with those, and ends by itself.
    assert_eq!(port.watchers(user(1), at_ms(2)).await.expect("watchers"), []);
}

pub async fn others_keep_what_is_theirs(
    port: &(impl ConnectionStore + PresenceStore + LiveErasure),
) {
    two_people(port).await;
    let third = connection("third", 3, at_ms(0));
    assert!(port.open(&third).await.expect("open"));
    let person = Acquaintance { user_id: user(2), shares_last_seen: true };
    port.watch(&third, &[person], at_ms(60_000)).await.expect("watch");
    port.erase(user(1), at_ms(2)).await.expect("erase");
    assert_ne!(port.residue(user(2)).await.expect("residue"), []);
    let found = ConnectionStore::of_users(port, &[user(2)], at_ms(2)).await.expect("of_users");
    assert_eq!(found.len(), 2);
    let watchers = port.watchers(user(2), at_ms(2)).await.expect("watchers");
    assert!(watchers.iter().any(|watcher| watcher.connection.id == third.id));
}

pub async fn an_erasure_may_be_repeated(
    port: &(impl ConnectionStore + PresenceStore + LiveErasure),
) {
    two_people(port).await;
    for _ in 0..2 {
        port.erase(user(1), at_ms(2)).await.expect("erase");
        assert_eq!(port.residue(user(1)).await.expect("residue"), []);
    }
}

pub async fn a_person_with_nothing_leaves_nothing(port: &impl LiveErasure) {
    port.erase(user(9), at_ms(2)).await.expect("erase");
    assert_eq!(port.residue(user(9)).await.expect("residue"), []);
}
