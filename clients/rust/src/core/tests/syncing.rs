//! Socket first, then sync.

use protocol::body::Sync;
use uuid::Uuid;

use super::super::{Answer, Ask, AskError, Event, Settings, State};
use super::{App, ROOM, changes, entry, page, push};

fn online_again(app: &mut App, now: u64) -> u64 {
    app.state.connect(now);
    let socket = app.opening(now).unwrap();
    app.state.opened(socket, now);
    socket
}

#[test]
fn what_was_changed_before_the_socket_was_open_is_fetched_so_that_no_gap_is_left() {
    let mut app = App::idle();
    app.hear(push(0, 2), 1);
    app.state.disconnect(2);
    let socket = online_again(&mut app, 100);
    // The socket is open before anything is asked for.
    let (sync, ask) = app.asking(100).unwrap();
    assert_eq!(ask, Ask::Sync { cursor: Some("next".into()) });
    // Pushed while the answer is under way, and kept back.
    app.state.heard(socket, super::frame(push(4, 5), None), 101);
    assert_eq!(app.seqs(), [1, 2]);
    assert_eq!(app.fetching(5_000), None);
    app.state.answered(sync, Ok(page(vec![entry(ROOM, 4)])), 5_001);
    let (request, after) = app.fetching(5_001).unwrap();
    assert_eq!(after, 2);
    app.state.answered(request, Ok(changes(2, 4)), 5_002);
    assert_eq!(app.shown(), [1, 2, 3, 4, 5]);
    assert!(app.state.is_caught_up());
}

#[test]
fn a_sync_that_began_before_the_socket_was_lost_does_not_count_for_the_next_one() {
    let mut app = App::new();
    app.connect(0);
    let (old, _) = app.asking(0).unwrap();
    app.state.disconnect(1);
    online_again(&mut app, 2);
    app.state.answered(old, Ok(page(vec![entry(ROOM, 1)])), 3);
    assert!(!app.state.is_caught_up());
    let (_, ask) = app.asking(3).unwrap();
    assert_eq!(ask, Ask::Sync { cursor: None });
}

#[test]
fn a_sync_goes_on_page_by_page_with_the_cursor_it_was_given() {
    let mut app = App::new();
    app.connect(0);
    let rooms: Vec<_> = (10..13).map(Uuid::from_u128).collect();
    for (index, room) in rooms.iter().enumerate() {
        let (request, ask) = app.asking(1).unwrap();
        let expected = (index > 0).then(|| format!("page {index}"));
        assert_eq!(ask, Ask::Sync { cursor: expected });
        let answer = Answer::Sync(Sync {
            conversations: vec![entry(*room, 0)],
            removed: vec![],
            next_cursor: format!("page {}", index + 1),
            has_more: index < 2,
        });
        app.state.answered(request, Ok(answer), 1);
    }
    assert_eq!(app.asking(100_000), None);
    assert_eq!(app.state.sync_cursor(), Some("page 3"));
    assert_eq!(app.state.conversations().count(), 3);
}

#[test]
fn a_cursor_that_has_expired_begins_with_everything_and_finds_out_what_is_gone() {
    let mut app = App::idle();
    app.hear(push(0, 1), 0);
    app.state.disconnect(1);
    online_again(&mut app, 2);
    let (request, _) = app.asking(2).unwrap();
    app.state.answered(request, Err(AskError::Expired), 3);
    let other = Uuid::from_u128(8);
    let (request, ask) = app.asking(3).unwrap();
    assert_eq!(ask, Ask::Sync { cursor: None });
    app.state.answered(request, Ok(page(vec![entry(other, 0)])), 4);
    assert!(app.state.is_removed(ROOM));
    let there: Vec<_> = app.state.conversations().map(|(id, _)| id).collect();
    assert_eq!(there, [other]);
    assert_eq!(app.seqs(), [1], "what was shown is kept");
}

#[test]
fn a_conversation_that_was_left_on_another_device_is_removed() {
    let mut app = App::idle();
    app.state.disconnect(1);
    online_again(&mut app, 2);
    let (request, _) = app.asking(2).unwrap();
    let answer = Answer::Sync(Sync {
        conversations: vec![],
        removed: vec![ROOM],
        next_cursor: "later".into(),
        has_more: false,
    });
    app.state.answered(request, Ok(answer), 3);
    assert!(app.state.is_removed(ROOM));
    let removed = Event::Removed { conversation: ROOM };
    assert_eq!(app.state.take_events().iter().filter(|event| **event == removed).count(), 1);
}

#[test]
fn a_sync_that_fails_holds_nothing_up_and_is_tried_again() {
    let mut app = App::idle();
    app.state.disconnect(1);
    let socket = online_again(&mut app, 2);
    let (request, _) = app.asking(2).unwrap();
    app.state.heard(socket, super::frame(push(0, 1), None), 3);
    app.state.answered(request, Err(AskError::Failed), 4);
    assert_eq!(app.seqs(), [1]);
    // Each conversation is asked for itself.
    let (request, after) = app.fetching(4).unwrap();
    assert_eq!(after, 1);
    app.state.answered(request, Ok(changes(1, 2)), 5);
    let again = app.state.next_wake(1_005).unwrap();
    assert!(matches!(app.asking(again), Some((_, Ask::Sync { .. }))));
}

#[test]
fn a_conversation_can_be_followed_before_any_sync_has_named_it() {
    let mut app = App::new();
    app.state.follow(ROOM, 0);
    assert_eq!(app.fetching(0), None, "without a socket nothing is asked for");
    app.connect(0);
    assert_eq!(app.fetching(1).unwrap().1, 0);
}

#[test]
fn a_request_that_hangs_when_the_socket_is_lost_is_made_again() {
    let mut app = App::new();
    app.state.follow(ROOM, 0);
    app.connect(0);
    let (hanging, _) = app.fetching(0).unwrap();
    app.state.disconnect(1);
    online_again(&mut app, 2);
    let (again, _) = app.fetching(2).unwrap();
    app.state.answered(again, Ok(changes(0, 2)), 3);
    app.state.answered(hanging, Ok(changes(0, 1)), 4);
    assert_eq!((app.seqs(), app.state.cursor(ROOM)), (vec![1, 2], 2));
}

#[test]
fn an_app_that_is_started_anew_shows_and_sends_what_it_had_and_fetches_the_rest() {
    let mut app = App::idle();
    app.hear(push(0, 2), 0);
    app.state.mark_read(ROOM, 1, 0);
    let id = app.post(100, 0);
    let sent = app.sending(0).unwrap();
    app.accept(&sent, 1);
    let later = app.post(101, 1);
    let saved = serde_json::to_string(&app.state.save()).unwrap();
    let saved = serde_json::from_str(&saved).unwrap();
    let mut app = App::new();
    app.state = State::restore(super::ME, Settings::default(), saved);
    assert_eq!((app.seqs(), app.state.unread(ROOM)), (vec![1, 2], 1));
    app.connect(0);
    let (request, ask) = app.asking(0).unwrap();
    assert_eq!(ask, Ask::Sync { cursor: Some("next".into()) });
    assert_eq!(app.sending(0).unwrap().client_ids(), [id, later]);
    assert_eq!(app.saying("receipt", 0), None, "the sync shows first what the server has");
    app.state.answered(request, Ok(page(vec![entry(ROOM, 3)])), 1);
    assert_eq!(app.fetching(1).unwrap().1, 2);
    assert_eq!(app.saying("receipt", 1).unwrap().data["read"], 1);
    assert_eq!(app.shown(), [0_i64; 0], "what was shown before is not shown again");
}

#[test]
fn a_request_that_nobody_answers_is_given_up() {
    let mut app = App::new();
    app.state.follow(ROOM, 0);
    app.connect(0);
    app.fetching(0).unwrap();
    app.look(45_000);
    assert!(app.fetching(46_000).is_some());
}
