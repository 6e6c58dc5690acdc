//! Opening, losing, and changing sockets.

use std::collections::BTreeSet;

use protocol::frame::{Bye, ErrorData, HeartbeatOk, Nudge, Said};
use uuid::Uuid;

use super::super::{Event, State};
use super::{App, ROOM, entry, frame, page, push};

fn bye(reason: &str, reconnect_after_ms: u64) -> Said {
    Said::Bye(Bye { reason: reason.into(), reconnect_after_ms })
}

/// The next socket opens, as late as it wants.
fn reopen(app: &mut App, mut now: u64) -> (u64, u64) {
    loop {
        if let Some(socket) = app.opening(now) {
            app.state.opened(socket, now);
            return (socket, now);
        }
        now = app.state.next_wake(now).unwrap();
    }
}

#[test]
fn what_was_in_flight_is_said_again_with_the_same_ids_on_the_next_socket() {
    let mut app = App::idle();
    app.post(100, 0);
    let sent = app.sending(1).unwrap();
    app.state.closed(1, 2);
    assert!(!app.state.is_online());
    assert_eq!(app.sending(2), None);
    let (socket, now) = reopen(&mut app, 2);
    let again = app.sending(now).unwrap();
    assert_eq!((again.socket, again.client_ids()), (socket, sent.client_ids()));
}

#[test]
fn reconnects_come_later_and_later_and_never_at_the_same_time_on_two_devices() {
    let mut firsts = BTreeSet::new();
    for seed in 0..20 {
        let settings = super::Settings { seed, ..super::Settings::default() };
        let mut state = State::new(super::ME, settings);
        state.connect(0);
        let mut now = 0;
        let mut waits = vec![];
        for _ in 0..10 {
            let actions = state.due(now);
            let [super::Action::OpenSocket { socket }] = actions[..] else { panic!("{actions:?}") };
            state.closed(socket, now);
            let next = state.next_wake(now).unwrap();
            waits.push(next - now);
            now = next;
        }
        assert!((125..=250).contains(&waits[0]), "{waits:?}");
        assert!((15_000..=30_000).contains(&waits[9]), "{waits:?}");
        firsts.insert(waits[0]);
    }
    assert!(firsts.len() > 10, "{firsts:?}");
}

#[test]
fn on_bye_the_next_socket_is_open_before_the_old_one_is_closed() {
    let mut app = App::idle();
    app.hear(bye("socket_is_old", 1_000), 10);
    assert_eq!(app.opening(1_009), None);
    assert_eq!(app.opening(1_010), Some(2));
    assert_eq!(app.closing(1_010), None);
    // Until then the old one is spoken to.
    let id = app.post(100, 1_011);
    let on_old = app.sending(1_011).unwrap();
    assert_eq!(on_old.socket, 1);
    app.state.opened(2, 1_020);
    let next = app.post(101, 1_021);
    assert_eq!(app.closing(1_021), None, "something is in flight on it");
    // Frames of both are taken, and shown once.
    app.state.heard(2, frame(push(0, 1), None), 1_022);
    app.state.heard(1, frame(push(0, 1), None), 1_023);
    app.state.heard(1, frame(push(1, 2), None), 1_024);
    app.accept(&on_old, 1_025);
    let on_new = app.sending(1_026).unwrap();
    assert_eq!((on_new.socket, on_new.client_ids()), (2, vec![next]));
    assert_eq!(app.state.stage(ROOM, id), Some(super::super::Stage::Accepted));
    app.answer_sync(page(vec![]), 1_027);
    assert_eq!(app.closing(1_028), Some(1));
    assert_eq!(app.shown(), [1, 2]);
    assert!(!app.state.take_events().contains(&Event::Offline));
    assert_eq!(app.opening(200_000), None);
}

#[test]
fn an_answer_on_the_old_socket_counts_after_it_was_given_up() {
    let mut app = App::idle();
    app.hear(bye("socket_is_old", 0), 0);
    app.post(100, 1);
    let on_old = app.sending(1).unwrap();
    assert_eq!(app.opening(1), Some(2));
    app.state.opened(2, 2);
    assert_eq!(app.closing(5_002), Some(1), "it is not waited for longer");
    let again = app.sending(5_002).unwrap();
    assert_eq!((again.socket, again.client_ids()), (2, on_old.client_ids()));
    app.accept(&on_old, 5_003);
    assert_eq!(app.state.unaccepted(), 0);
}

#[test]
fn a_socket_that_ends_while_the_next_one_opens_leaves_no_second_next_one() {
    let mut app = App::idle();
    app.hear(bye("socket_is_old", 0), 0);
    assert_eq!(app.opening(0), Some(2));
    app.state.closed(1, 1);
    assert_eq!(app.opening(20_000), None);
    app.state.opened(2, 20_001);
    assert!(app.state.is_online());
}

#[test]
fn a_session_that_the_server_ended_does_not_come_back_by_itself() {
    let mut app = App::idle();
    app.hear(bye("session_revoked", 0), 0);
    app.state.closed(1, 1);
    assert_eq!(app.opening(1_000_000), None);
    assert_eq!(app.state.ended(), Some("session_revoked"));
    app.state.connect(1_000_001);
    assert_eq!(app.opening(1_000_001), Some(2));
}

#[test]
fn who_was_crowded_out_by_an_eleventh_device_does_not_fight_for_its_place() {
    let mut app = App::idle();
    app.hear(bye("too_many_sockets", 0), 0);
    app.state.closed(1, 1);
    assert_eq!(app.opening(1_000_000), None);
    assert_eq!(app.state.ended(), Some("too_many_sockets"));
    app.state.connect(1_000_001);
    assert_eq!(app.opening(1_000_001), Some(2));
}

#[test]
fn a_socket_with_nobody_behind_it_is_replaced() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    let sent = app.sending(0).unwrap();
    let (code, detail) = ("unauthenticated".to_owned(), String::new());
    let error = Said::Error(ErrorData { code, detail, retry_after_ms: None, items: None });
    app.state.heard(1, frame(error, Some(sent.id)), 1);
    assert_eq!(app.closing(1), Some(1));
    let (_, now) = reopen(&mut app, 1);
    assert_eq!(app.sending(now + 1_000).unwrap().client_ids(), [id]);
}

#[test]
fn a_heartbeat_is_said_every_four_minutes_and_what_is_behind_is_fetched() {
    let mut app = App::idle();
    assert_eq!(app.saying("heartbeat", 239_999), None);
    let beat = app.saying("heartbeat", 240_000).unwrap();
    assert_eq!(beat.data["cursors"][0]["cursor"], 0);
    let behind = vec![Nudge { conversation_id: ROOM, last_seq: 3 }];
    let ok = HeartbeatOk { now: String::new(), behind };
    app.state.heard(1, frame(Said::HeartbeatOk(ok), Some(beat.id)), 240_010);
    assert_eq!(app.fetching(240_010).unwrap().1, 0);
    assert_eq!(app.saying("heartbeat", 479_999), None);
    assert!(app.saying("heartbeat", 480_000).is_some());
}

#[test]
fn a_socket_that_does_not_answer_a_heartbeat_is_deaf_and_replaced() {
    let mut app = App::idle();
    app.saying("heartbeat", 240_000).unwrap();
    assert_eq!(app.closing(274_999), None);
    assert_eq!(app.closing(275_000), Some(1));
    let (socket, _) = reopen(&mut app, 275_000);
    assert_eq!(socket, 2);
}

#[test]
fn a_socket_on_which_two_sends_get_no_answer_is_kept_until_the_next_one_is_open() {
    let mut app = App::idle();
    app.post(100, 1);
    app.sending(1).unwrap();
    app.look(10_001);
    app.sending(10_600).unwrap();
    assert_eq!(app.opening(10_600), None, "once is a lost frame");
    assert_eq!(app.opening(20_600), Some(2));
    assert!(app.state.is_online());
    assert_eq!(app.closing(20_600), None);
    app.state.opened(2, 20_700);
    assert_eq!(app.sending(22_000).unwrap().socket, 2);
}

#[test]
fn a_socket_that_still_brings_something_is_only_slow() {
    let mut app = App::idle();
    app.post(100, 1);
    app.sending(1).unwrap();
    app.look(10_001);
    app.sending(10_600).unwrap();
    app.hear(push(0, 1), 11_000);
    assert_eq!(app.opening(20_600), None);
    assert!(app.sending(22_000).is_some());
}

#[test]
fn a_heartbeat_that_failed_behind_the_gateway_is_said_again_soon() {
    let mut app = App::idle();
    app.saying("heartbeat", 240_000).unwrap();
    app.state.gateway_failed(1, 240_100);
    assert!(app.saying("heartbeat", 245_100).is_some());
    assert_eq!(app.closing(275_000), None);
}

#[test]
fn heartbeats_go_round_through_more_conversations_than_one_can_name() {
    let mut app = App::new();
    app.connect(0);
    let rooms: Vec<_> = (1..=450).map(Uuid::from_u128).collect();
    app.answer_sync(page(rooms.iter().map(|id| entry(*id, 0)).collect()), 0);
    let mut named = Vec::new();
    for round in 1..=3 {
        let beat = app.saying("heartbeat", round * 240_000).unwrap();
        let cursors = beat.data["cursors"].as_array().unwrap();
        assert_eq!(cursors.len(), 200);
        let id = |cursor: &serde_json::Value| {
            cursor["conversation_id"].as_str().unwrap().parse::<Uuid>().unwrap()
        };
        named.extend(cursors.iter().map(id));
        let ok = HeartbeatOk { now: String::new(), behind: vec![] };
        app.state.heard(1, frame(Said::HeartbeatOk(ok), Some(beat.id)), round * 240_000);
    }
    assert_eq!(named[..450], rooms);
    assert_eq!(named[450..], rooms[..150]);
}

#[test]
fn who_goes_offline_stays_offline_and_comes_back_when_asked() {
    let mut app = App::idle();
    app.state.disconnect(1);
    assert_eq!(app.closing(1), Some(1));
    assert!(!app.state.is_online());
    app.post(100, 2);
    assert_eq!(app.state.next_wake(2), None);
    assert_eq!(app.opening(1_000_000), None);
    app.state.connect(1_000_001);
    let (_, now) = reopen(&mut app, 1_000_001);
    assert_eq!(app.sending(now).unwrap().client_ids(), [Uuid::from_u128(100)]);
}

#[test]
fn a_socket_that_opens_after_it_was_given_up_is_closed() {
    let mut app = App::new();
    app.state.connect(0);
    assert_eq!(app.opening(0), Some(1));
    app.state.disconnect(1);
    app.state.opened(1, 2);
    assert_eq!(app.closing(2), Some(1));
    assert!(!app.state.is_online());
}
