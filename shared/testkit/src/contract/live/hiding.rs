//! `PresenceStore`: who is invisible.

use domain::{Presence, Status, limits};

use super::presence::{Live, beat, open, seconds, seen, set, statuses};
use super::sample::{connection, user};

/// One test a promise.
#[macro_export]
macro_rules! hiding_promises {
    ($open:expr) => {
        $crate::promises! {
            hiding, ($crate::contract::live::hiding), $open,
            [
                who_is_invisible_is_seen_as_of_before,
                who_shows_up_again_is_seen_with_the_next_heartbeat,
                who_hides_and_connects_again_is_not_seen,
                who_hides_on_one_device_is_not_given_away_by_another,
                who_hides_no_more_is_seen_by_every_device,
                a_hiding_ends_with_the_lease_of_its_device,
            ]
        }
    };
}

pub async fn who_is_invisible_is_seen_as_of_before(port: &impl Live) {
    let device = open(port, "a", 1).await;
    beat(port, &device, seconds(200)).await;
    let hidden = set(port, &device, Status::Invisible, seconds(300)).await;
    assert_eq!(hidden.presence(), Presence::Offline);
    assert_eq!(hidden.last_seen_at, Some(seconds(200)));
    beat(port, &device, seconds(400)).await;
    let hidden = seen(port, 1, seconds(401)).await;
    assert_eq!((hidden.presence(), hidden.last_seen_at), (Presence::Offline, Some(seconds(200))));
    port.close(&device.id, seconds(500)).await.expect("close");
    assert_eq!(seen(port, 1, seconds(501)).await.last_seen_at, Some(seconds(200)));
}

pub async fn who_shows_up_again_is_seen_with_the_next_heartbeat(port: &impl Live) {
    let device = open(port, "a", 1).await;
    set(port, &device, Status::Invisible, seconds(1)).await;
    beat(port, &device, seconds(200)).await;
    let shown = set(port, &device, Status::Online, seconds(300)).await;
    assert_eq!((shown.presence(), shown.last_seen_at), (Presence::Online, Some(seconds(0))));
    beat(port, &device, seconds(400)).await;
    assert_eq!(seen(port, 1, seconds(401)).await.last_seen_at, Some(seconds(400)));
}

pub async fn who_hides_and_connects_again_is_not_seen(port: &impl Live) {
    let device = open(port, "a", 1).await;
    set(port, &device, Status::Invisible, seconds(1)).await;
    port.close(&device.id, seconds(100)).await.expect("close");
    let again = connection("b", 1, seconds(110));
    assert!(port.open(&again).await.expect("open"));
    let hidden = seen(port, 1, seconds(111)).await;
    assert_eq!((statuses(&hidden), hidden.last_seen_at), (vec!["invisible"], Some(seconds(0))));
    assert!(!hidden.is_news());
}

pub async fn who_hides_on_one_device_is_not_given_away_by_another(port: &impl Live) {
    let (phone, tablet) = (open(port, "phone", 1).await, open(port, "tablet", 1).await);
    beat(port, &tablet, seconds(100)).await;
    set(port, &phone, Status::Invisible, seconds(200)).await;
    beat(port, &tablet, seconds(300)).await;
    beat(port, &phone, seconds(301)).await;
    let mut laptop = connection("laptop", 1, seconds(310));
    laptop.identity.session_id = domain::SessionId(user(77).0);
    assert!(port.open(&laptop).await.expect("open"));
    port.close(&tablet.id, seconds(320)).await.expect("close");
    let hidden = seen(port, 1, seconds(321)).await;
    assert_eq!(
        (statuses(&hidden), hidden.last_seen_at),
        (vec!["invisible", "online"], Some(seconds(100)))
    );
    port.close(&phone.id, seconds(330)).await.expect("close");
    assert_eq!(seen(port, 1, seconds(331)).await.last_seen_at, Some(seconds(100)));
    beat(port, &laptop, seconds(400)).await;
    assert_eq!(seen(port, 1, seconds(401)).await.last_seen_at, Some(seconds(400)));
}

pub async fn who_hides_no_more_is_seen_by_every_device(port: &impl Live) {
    let (phone, tablet) = (open(port, "phone", 1).await, open(port, "tablet", 1).await);
    set(port, &phone, Status::Invisible, seconds(100)).await;
    set(port, &tablet, Status::Invisible, seconds(101)).await;
    set(port, &phone, Status::Online, seconds(110)).await;
    beat(port, &phone, seconds(120)).await;
    assert_eq!(seen(port, 1, seconds(121)).await.last_seen_at, Some(seconds(0)));
    set(port, &tablet, Status::Away, seconds(130)).await;
    beat(port, &phone, seconds(140)).await;
    assert_eq!(seen(port, 1, seconds(141)).await.last_seen_at, Some(seconds(140)));
}

/// Nobody hides behind a device that went without a word.
pub async fn a_hiding_ends_with_the_lease_of_its_device(port: &impl Live) {
    let (phone, tablet) = (open(port, "phone", 1).await, open(port, "tablet", 1).await);
    set(port, &phone, Status::Invisible, seconds(0)).await;
    beat(port, &tablet, seconds(400)).await;
    assert_eq!(seen(port, 1, seconds(401)).await.last_seen_at, Some(seconds(0)));
    let end = seconds(0).plus(limits::CONNECTION_LEASE);
    beat(port, &tablet, end).await;
    assert_eq!(seen(port, 1, end).await.last_seen_at, Some(end));
}
