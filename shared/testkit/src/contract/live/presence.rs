//! `PresenceStore`, beside `ConnectionStore`

use domain::{Presence, Status, Timestamp, limits};
use service::Connection;
use service::port::{Acquaintance, ConnectionStore, PresenceStore, Sighting, Watcher};

use super::sample::{connection, connection_id, user};
use crate::ambient::at_ms;

/// One test a promise.
#[macro_export]
macro_rules! presence_promises {
    ($open:expr) => {
        $crate::promises! {
            presence, ($crate::contract::live::presence), $open,
            [
                who_was_never_seen_is_offline,
                who_connects_is_online_and_seen,
                each_device_has_a_status_of_its_own,
                a_status_stays_through_heartbeats,
                the_next_socket_of_a_session_begins_with_its_last_status,
                another_session_does_not_begin_with_it,
                a_status_stays_though_a_stray_410_pruned_its_connection,
                saying_a_status_is_no_sign_of_life,
                a_lease_that_ran_out_is_no_presence,
                closing_remembers_when_they_were_seen,
                what_is_on_record_no_more_has_no_status,
                an_ended_session_has_no_status,
                many_people_are_looked_at_at_once,
                an_announcement_is_made_once,
                what_was_announced_is_remembered_when_the_last_socket_closes,
                of_many_announcements_at_once_one_wins,
                a_watch_ends_by_itself,
                a_watch_is_renewed,
                watchers_are_told_apart,
                a_screen_full_of_people_is_watched_at_once,
                of_a_crowd_of_watchers_only_so_many_are_told,
                what_one_person_watches_of_another_ends_and_nothing_else,
                a_watch_that_was_renewed_ends_once_and_for_all,
                a_watch_that_is_over_is_not_ended_again,
            ]
        }
    };
}

/// A table with connections and presence in it.
pub trait Live: PresenceStore + ConnectionStore {}

impl<T: PresenceStore + ConnectionStore> Live for T {}

pub(super) fn seconds(seconds: i64) -> Timestamp {
    at_ms(seconds * 1_000)
}

pub(super) async fn open(port: &impl Live, name: &str, of_user: u128) -> Connection {
    let opened = connection(name, of_user, seconds(0));
    assert!(port.open(&opened).await.expect("open"), "its session has not ended");
    opened
}

pub(super) async fn beat(port: &impl Live, device: &Connection, now: Timestamp) {
    port.touch(&device.id, now).await.expect("touch").expect("known");
}

pub(super) async fn set(
    port: &impl Live,
    device: &Connection,
    status: Status,
    now: Timestamp,
) -> Sighting {
    port.set(&device.id, status, now).await.expect("set").expect("known")
}

pub(super) async fn seen(port: &impl Live, number: u128, now: Timestamp) -> Sighting {
    let mut sightings =
        PresenceStore::of_users(port, &[user(number)], now).await.expect("of_users");
    assert_eq!(sightings.len(), 1);
    sightings.remove(0)
}

pub(super) fn statuses(sighting: &Sighting) -> Vec<&'static str> {
    let mut names: Vec<_> = sighting.statuses.iter().map(|status| status.as_str()).collect();
    names.sort_unstable();
    names
}

fn nobody(number: u128) -> Sighting {
    Sighting {
        user_id: user(number),
        statuses: vec![],
        last_seen_at: None,
        announced: Presence::Offline,
    }
}

pub async fn who_was_never_seen_is_offline(port: &impl Live) {
    assert_eq!(seen(port, 1, seconds(0)).await, nobody(1));
    assert!(!nobody(1).is_news());
    assert_eq!(PresenceStore::of_users(port, &[], seconds(0)).await.expect("of_users"), []);
}

pub async fn who_connects_is_online_and_seen(port: &impl Live) {
    let device = open(port, "a", 1).await;
    let first = seen(port, 1, seconds(1)).await;
    assert_eq!((statuses(&first), first.last_seen_at), (vec!["online"], Some(seconds(0))));
    assert!(first.is_news());
    beat(port, &device, seconds(200)).await;
    assert_eq!(seen(port, 1, seconds(201)).await.last_seen_at, Some(seconds(200)));
}

pub async fn each_device_has_a_status_of_its_own(port: &impl Live) {
    let (phone, tablet) = (open(port, "phone", 1).await, open(port, "tablet", 1).await);
    let after = set(port, &phone, Status::Away, seconds(1)).await;
    assert_eq!((statuses(&after), after.presence()), (vec!["away", "online"], Presence::Online));
    let after = set(port, &tablet, Status::Away, seconds(2)).await;
    assert_eq!((statuses(&after), after.presence()), (vec!["away", "away"], Presence::Away));
    let after = set(port, &tablet, Status::Dnd, seconds(3)).await;
    assert_eq!(after.presence(), Presence::Dnd);
    assert_eq!(seen(port, 1, seconds(4)).await, after);
    port.close(&tablet.id, seconds(5)).await.expect("close");
    assert_eq!(statuses(&seen(port, 1, seconds(6)).await), ["away"]);
    let next = open(port, "next", 1).await;
    assert_eq!(statuses(&set(port, &next, Status::Online, seconds(7)).await), ["away", "online"]);
}

pub async fn a_status_stays_through_heartbeats(port: &impl Live) {
    let device = open(port, "a", 1).await;
    set(port, &device, Status::Dnd, seconds(1)).await;
    for now in [200, 400, 600] {
        beat(port, &device, seconds(now)).await;
        assert_eq!(statuses(&seen(port, 1, seconds(now)).await), ["dnd"]);
    }
    assert_eq!(port.get(&device.id).await.expect("get"), Some(device));
}

/// At the cut after two hours the next socket opens before the old one closes; after a loss of the
/// network, the other way round.
pub async fn the_next_socket_of_a_session_begins_with_its_last_status(port: &impl Live) {
    let first = open(port, "a", 1).await;
    set(port, &first, Status::Away, seconds(1)).await;
    let next = open(port, "b", 1).await;
    assert_eq!(statuses(&seen(port, 1, seconds(2)).await), ["away", "away"]);
    port.close(&first.id, seconds(3)).await.expect("close");
    port.close(&next.id, seconds(4)).await.expect("close");
    assert_eq!(statuses(&seen(port, 1, seconds(5)).await).len(), 0);
    let last = open(port, "c", 1).await;
    assert_eq!(statuses(&seen(port, 1, seconds(6)).await), ["away"]);
    beat(port, &last, seconds(200)).await;
    set(port, &last, Status::Online, seconds(201)).await;
    open(port, "d", 1).await;
    assert_eq!(statuses(&seen(port, 1, seconds(202)).await), ["online", "online"]);
}

pub async fn another_session_does_not_begin_with_it(port: &impl Live) {
    let device = open(port, "a", 1).await;
    set(port, &device, Status::Dnd, seconds(1)).await;
    let mut other = connection("b", 1, seconds(2));
    other.identity.session_id = domain::SessionId(user(77).0);
    assert!(port.open(&other).await.expect("open"));
    assert_eq!(statuses(&seen(port, 1, seconds(3)).await), ["dnd", "online"]);
}

/// Who hides must not show because a push was answered wrongly.
pub async fn a_status_stays_though_a_stray_410_pruned_its_connection(port: &impl Live) {
    let device = open(port, "a", 1).await;
    set(port, &device, Status::Invisible, seconds(1)).await;
    port.prune(&device).await.expect("prune");
    assert_eq!(seen(port, 1, seconds(2)).await.presence(), Presence::Offline);
    beat(port, &device, seconds(200)).await;
    assert_eq!(statuses(&seen(port, 1, seconds(201)).await), ["invisible"]);
}

pub async fn saying_a_status_is_no_sign_of_life(port: &impl Live) {
    let device = open(port, "a", 1).await;
    let after = set(port, &device, Status::Away, seconds(100)).await;
    assert_eq!(after.last_seen_at, Some(seconds(0)));
    let end = seconds(0).plus(limits::CONNECTION_LEASE);
    assert_eq!(statuses(&seen(port, 1, end).await), Vec::<&str>::new());
}

pub async fn a_lease_that_ran_out_is_no_presence(port: &impl Live) {
    let device = open(port, "a", 1).await;
    beat(port, &device, seconds(100)).await;
    let end = seconds(100).plus(limits::CONNECTION_LEASE);
    assert_eq!(
        statuses(&seen(port, 1, seconds(-1).plus(limits::CONNECTION_LEASE)).await),
        ["online"]
    );
    let gone = seen(port, 1, end).await;
    assert_eq!((statuses(&gone).len(), gone.last_seen_at), (0, Some(seconds(100))));
}

pub async fn closing_remembers_when_they_were_seen(port: &impl Live) {
    let (first, second) = (open(port, "a", 1).await, open(port, "b", 1).await);
    port.close(&first.id, seconds(50)).await.expect("close");
    let left = seen(port, 1, seconds(51)).await;
    assert_eq!((statuses(&left), left.last_seen_at), (vec!["online"], Some(seconds(50))));
    port.close(&second.id, seconds(60)).await.expect("close");
    port.close(&second.id, seconds(70)).await.expect("close again");
    let left = seen(port, 1, seconds(100_000)).await;
    assert_eq!((statuses(&left).len(), left.last_seen_at), (0, Some(seconds(60))));
}

pub async fn what_is_on_record_no_more_has_no_status(port: &impl Live) {
    let device = open(port, "a", 1).await;
    let never = connection_id("never");
    assert_eq!(port.set(&never, Status::Dnd, seconds(1)).await.expect("set"), None);
    let end = seconds(0).plus(limits::CONNECTION_RECORD_LIFETIME);
    assert_eq!(port.set(&device.id, Status::Dnd, end).await.expect("set"), None);
    port.close(&device.id, seconds(1)).await.expect("close");
    assert_eq!(port.set(&device.id, Status::Dnd, seconds(2)).await.expect("set"), None);
    assert_eq!(statuses(&seen(port, 1, seconds(3)).await).len(), 0);
}

pub async fn an_ended_session_has_no_status(port: &impl Live) {
    let device = open(port, "a", 1).await;
    port.end_session(device.identity, seconds(1)).await.expect("end");
    assert_eq!(port.set(&device.id, Status::Dnd, seconds(2)).await.expect("set"), None);
}

pub async fn many_people_are_looked_at_at_once(port: &impl Live) {
    for number in 0..5 {
        open(port, &format!("c{number}"), number * 10).await;
    }
    let mut people: Vec<_> = (0..120).map(user).collect();
    people.push(user(0));
    let mut found = PresenceStore::of_users(port, &people, seconds(1)).await.expect("of_users");
    found.sort_by_key(|sighting| sighting.user_id);
    let names: Vec<_> = found.iter().map(|sighting| sighting.user_id).collect();
    assert_eq!(names, people[..120]);
    let online: Vec<_> = found.iter().filter(|one| !one.statuses.is_empty()).collect();
    assert_eq!(online.len(), 5);
    assert_eq!(online[1].user_id, user(10));
}

pub async fn an_announcement_is_made_once(port: &impl Live) {
    let steps = [
        (Presence::Offline, false),
        (Presence::Online, true),
        (Presence::Online, false),
        (Presence::Dnd, true),
        (Presence::Away, true),
        (Presence::Offline, true),
        (Presence::Offline, false),
    ];
    for (presence, is_news) in steps {
        let announced = port.announce(user(1), presence).await.expect("announce");
        assert_eq!(announced, is_news, "{presence:?}");
        assert_eq!(seen(port, 1, seconds(0)).await.announced, presence);
    }
    assert_eq!(seen(port, 2, seconds(0)).await, nobody(2));
}

pub async fn what_was_announced_is_remembered_when_the_last_socket_closes(port: &impl Live) {
    let device = open(port, "a", 1).await;
    assert!(port.announce(user(1), Presence::Online).await.expect("announce"));
    assert!(!seen(port, 1, seconds(1)).await.is_news());
    port.close(&device.id, seconds(2)).await.expect("close");
    let left = seen(port, 1, seconds(3)).await;
    assert_eq!((left.presence(), left.announced), (Presence::Offline, Presence::Online));
    assert!(left.is_news());
    open(port, "b", 1).await;
    assert!(!seen(port, 1, seconds(4)).await.is_news(), "a reconnect is no news");
}

pub async fn of_many_announcements_at_once_one_wins(port: &impl Live) {
    let announce = || port.announce(user(1), Presence::Online);
    let (a, b, c, d) = tokio::join!(announce(), announce(), announce(), announce());
    let winners = [a, b, c, d].into_iter().filter(|won| matches!(won, Ok(true))).count();
    assert_eq!(winners, 1);
}

fn known(number: u128, shares_last_seen: bool) -> Acquaintance {
    Acquaintance { user_id: user(number), shares_last_seen }
}

async fn watch(port: &impl Live, by: &Connection, people: &[Acquaintance], until: Timestamp) {
    port.watch(by, people, until).await.expect("watch");
}

async fn watchers(port: &impl Live, number: u128, now: Timestamp) -> Vec<Watcher> {
    let mut found = port.watchers(user(number), now).await.expect("watchers");
    found.sort_by(|a, b| a.connection.id.cmp(&b.connection.id));
    found
}

pub async fn a_watch_ends_by_itself(port: &impl Live) {
    let device = open(port, "a", 1).await;
    assert_eq!(watchers(port, 2, seconds(0)).await, []);
    watch(port, &device, &[known(2, true)], seconds(90)).await;
    let watcher = Watcher { connection: device, sees_last_seen: true };
    assert_eq!(watchers(port, 2, seconds(89)).await, [watcher]);
    assert_eq!(watchers(port, 2, seconds(90)).await, []);
    assert_eq!(watchers(port, 1, seconds(1)).await, []);
}

pub async fn a_watch_is_renewed(port: &impl Live) {
    let device = open(port, "a", 1).await;
    watch(port, &device, &[known(2, true)], seconds(90)).await;
    watch(port, &device, &[known(2, false)], seconds(150)).await;
    let watcher = Watcher { connection: device, sees_last_seen: false };
    assert_eq!(watchers(port, 2, seconds(149)).await, [watcher]);
}

pub async fn watchers_are_told_apart(port: &impl Live) {
    let (a, b, c) = (open(port, "a", 1).await, open(port, "b", 1).await, open(port, "c", 3).await);
    watch(port, &a, &[known(2, true), known(4, false)], seconds(90)).await;
    watch(port, &b, &[known(2, false)], seconds(90)).await;
    watch(port, &c, &[known(2, true)], seconds(20)).await;
    watch(port, &c, &[], seconds(90)).await;
    let of = |connection: &Connection, sees_last_seen| Watcher {
        connection: connection.clone(),
        sees_last_seen,
    };
    assert_eq!(watchers(port, 2, seconds(19)).await, [of(&a, true), of(&b, false), of(&c, true)]);
    assert_eq!(watchers(port, 2, seconds(20)).await, [of(&a, true), of(&b, false)]);
    assert_eq!(watchers(port, 4, seconds(20)).await, [of(&a, false)]);
}

pub async fn a_screen_full_of_people_is_watched_at_once(port: &impl Live) {
    let device = open(port, "a", 1).await;
    let count = u128::try_from(limits::PRESENCES_PER_REQUEST).expect("a small number");
    let people: Vec<_> = (100..100 + count).map(|number| known(number, true)).collect();
    watch(port, &device, &people, seconds(90)).await;
    for number in [100, 100 + count / 2, 99 + count] {
        assert_eq!(watchers(port, number, seconds(1)).await.len(), 1, "{number}");
    }
    assert_eq!(watchers(port, 100 + count, seconds(1)).await, []);
}

pub async fn of_a_crowd_of_watchers_only_so_many_are_told(port: &impl Live) {
    for number in 0..=limits::WATCHERS_PER_USER {
        let by = connection(&format!("w{number}"), 1, seconds(0));
        watch(port, &by, &[known(2, true)], seconds(90)).await;
    }
    let told = watchers(port, 2, seconds(1)).await;
    assert_eq!(told.len(), limits::WATCHERS_PER_USER);
    assert_eq!(watchers(port, 2, seconds(90)).await, []);
}

async fn end_watches(port: &impl Live, of: (u128, u128), now: Timestamp) -> Vec<Connection> {
    let (watcher, watched) = (user(of.0), user(of.1));
    let mut ended = port.end_watches(watcher, watched, now).await.expect("end watches");
    ended.sort_by(|a, b| a.id.cmp(&b.id));
    ended
}

pub async fn what_one_person_watches_of_another_ends_and_nothing_else(port: &impl Live) {
    let (a, b, c) = (open(port, "a", 1).await, open(port, "b", 1).await, open(port, "c", 3).await);
    let d = open(port, "d", 2).await;
    for (by, people) in [(&a, &[2, 4][..]), (&b, &[2]), (&c, &[2]), (&d, &[1])] {
        let people: Vec<_> = people.iter().map(|number| known(*number, true)).collect();
        watch(port, by, &people, seconds(90)).await;
    }
    assert_eq!(end_watches(port, (1, 2), seconds(1)).await, [a.clone(), b]);
    let of = |connection| Watcher { connection, sees_last_seen: true };
    assert_eq!(watchers(port, 2, seconds(1)).await, [of(c)], "somebody else's");
    assert_eq!(watchers(port, 4, seconds(1)).await, [of(a.clone())], "of somebody else");
    assert_eq!(watchers(port, 1, seconds(1)).await, [of(d)], "the other way round");
    assert_eq!(end_watches(port, (1, 2), seconds(2)).await, []);
    // It can be begun again.
    watch(port, &a, &[known(2, true)], seconds(92)).await;
    assert_eq!(end_watches(port, (1, 2), seconds(3)).await, [a]);
    assert_eq!(end_watches(port, (7, 2), seconds(3)).await, [], "nobody was ever there");
}

/// At any time: what is renewed may be kept in two places.
pub async fn a_watch_that_was_renewed_ends_once_and_for_all(port: &impl Live) {
    let device = open(port, "a", 1).await;
    for start in (0..240).step_by(30) {
        for began in [start, start + 50] {
            let until = seconds(began).plus(limits::WATCH_LIFETIME);
            watch(port, &device, &[known(2, true)], until).await;
        }
        let ended = end_watches(port, (1, 2), seconds(start + 60)).await;
        assert_eq!(ended, std::slice::from_ref(&device), "{start}");
        assert_eq!(watchers(port, 2, seconds(start + 60)).await, [], "{start}");
    }
}

pub async fn a_watch_that_is_over_is_not_ended_again(port: &impl Live) {
    let device = open(port, "a", 1).await;
    watch(port, &device, &[known(2, true)], seconds(90)).await;
    assert_eq!(end_watches(port, (1, 2), seconds(90)).await, []);
}
