//! Receipts, unread counts, typing, presence.

use protocol::body::ReceiptList;
use protocol::frame::{HeartbeatOk, PresenceChanged, ReceiptUpdated, Said, Typing};
use protocol::value::{MemberMarks, Message, Presence};
use serde_json::json;
use uuid::Uuid;

use super::super::{Answer, Ask, Event, Tick};
use super::{App, HER, ME, ROOM, entry, message, new, own, page, push};

const THIRD: Uuid = Uuid::from_u128(3);

fn mark(user_id: Uuid, delivered: i64, read: i64) -> MemberMarks {
    MemberMarks { user_id, delivered, read }
}

fn updated(mark: MemberMarks) -> Said {
    Said::ReceiptUpdated(ReceiptUpdated { conversation_id: ROOM, marks: vec![mark] })
}

fn types(user_id: Uuid, active: bool) -> Said {
    let expires_in_ms = if active { 6_000 } else { 0 };
    Said::Typing(Typing { conversation_id: ROOM, user_id, active, expires_in_ms })
}

/// Two own messages, and the marks of two others as asked for.
fn with_own_messages() -> App {
    let mut app = App::idle();
    let messages = (1..=2).map(|seq| own(seq, Uuid::from_u128(100))).collect();
    app.hear(new(0, 2, messages), 0);
    let (request, ask) = app.asking(0).unwrap();
    assert_eq!(ask, Ask::Receipts { conversation: ROOM });
    let items = vec![mark(ME, 0, 0), mark(HER, 0, 0), mark(THIRD, 0, 0)];
    let ReceiptList { items } = ReceiptList { items };
    app.state.answered(request, Ok(Answer::Receipts(items)), 0);
    app
}

#[test]
fn what_is_applied_is_told_as_delivered_at_most_once_a_second() {
    let mut app = App::idle();
    app.hear(push(0, 1), 0);
    let first = app.saying("receipt", 0).unwrap();
    assert_eq!(first.data, json!({ "conversation_id": ROOM, "delivered": 1 }));
    app.hear(push(1, 2), 1);
    app.hear(push(2, 3), 2);
    assert_eq!(app.saying("receipt", 999), None);
    assert_eq!(app.saying("receipt", 1_000).unwrap().data["delivered"], 3);
    assert_eq!(app.saying("receipt", 9_000), None);
}

#[test]
fn what_waits_for_an_earlier_push_is_not_told_as_delivered() {
    let mut app = App::idle();
    app.hear(push(1, 2), 0);
    assert_eq!(app.saying("receipt", 400), None);
}

#[test]
fn ones_own_messages_are_told_late_or_with_the_next_receipt() {
    let mut app = App::idle();
    app.hear(new(0, 1, vec![own(1, Uuid::from_u128(100))]), 0);
    assert_eq!(app.saying("receipt", 9_999), None);
    assert_eq!(app.saying("receipt", 10_000).unwrap().data["delivered"], 1);
    app.hear(new(1, 2, vec![own(2, Uuid::from_u128(101))]), 20_000);
    app.hear(push(2, 3), 21_000);
    assert_eq!(app.saying("receipt", 21_000).unwrap().data["delivered"], 3);
    assert_eq!(app.saying("receipt", 99_000), None);
}

#[test]
fn reading_is_told_and_never_goes_beyond_what_is_shown_nor_back() {
    let mut app = App::idle();
    app.hear(push(0, 3), 0);
    app.state.mark_read(ROOM, 99, 0);
    app.state.mark_read(ROOM, 1, 0);
    let told = app.saying("receipt", 0).unwrap();
    assert_eq!(told.data, json!({ "conversation_id": ROOM, "delivered": 3, "read": 3 }));
    assert_eq!(app.saying("receipt", 9_000), None);
    assert_eq!(app.state.my_marks(ROOM), mark(ME, 3, 3));
}

#[test]
fn unread_are_undeleted_messages_of_others_that_are_not_of_the_system() {
    let mut app = App::idle();
    let system = Message { kind: "system".into(), ..message(2) };
    let deleted = Message { deleted_at: Some("2026-01-01T00:00:00.000Z".into()), ..message(3) };
    let mine = own(4, Uuid::from_u128(100));
    app.hear(new(0, 5, vec![message(1), system, deleted, mine, message(5)]), 0);
    assert_eq!(app.state.unread(ROOM), 2);
    app.state.mark_read(ROOM, 1, 0);
    assert_eq!(app.state.unread(ROOM), 1);
    // Read on another device.
    app.hear(updated(mark(ME, 5, 5)), 1);
    assert_eq!(app.state.unread(ROOM), 0);
}

#[test]
fn a_receipt_that_the_server_does_not_have_is_told_again_on_the_next_socket() {
    for (known, expected) in [(0, Some(json!(1))), (1, None)] {
        let mut app = App::idle();
        app.hear(push(0, 1), 0);
        app.saying("receipt", 0).unwrap();
        app.state.closed(1, 1);
        let socket = app.opening(1_000).unwrap();
        app.state.opened(socket, 1_000);
        let mut entry = entry(ROOM, 1);
        entry.my.delivered = known;
        app.answer_sync(page(vec![entry]), 1_000);
        let told = app.saying("receipt", 1_000).map(|told| told.data["delivered"].clone());
        assert_eq!(told, expected);
    }
}

#[test]
fn ticks_follow_the_slowest_of_the_others() {
    let mut app = with_own_messages();
    assert_eq!(app.state.tick(ROOM, 1), Tick::Stored);
    app.hear(updated(mark(HER, 2, 2)), 1);
    assert_eq!(app.state.tick(ROOM, 1), Tick::Stored);
    app.hear(updated(mark(THIRD, 2, 1)), 2);
    assert_eq!(app.state.tick(ROOM, 1), Tick::Read);
    assert_eq!(app.state.tick(ROOM, 2), Tick::Delivered);
}

#[test]
fn receipts_never_go_back() {
    let mut app = with_own_messages();
    app.hear(updated(mark(HER, 2, 2)), 1);
    app.hear(updated(mark(THIRD, 2, 2)), 1);
    app.hear(updated(mark(HER, 1, 0)), 2);
    assert_eq!(app.state.tick(ROOM, 2), Tick::Read);
    assert_eq!(app.state.marks(ROOM), [mark(HER, 2, 2), mark(THIRD, 2, 2)]);
}

#[test]
fn nothing_is_ticked_off_before_all_members_are_known() {
    let mut app = App::idle();
    app.hear(new(0, 1, vec![own(1, Uuid::from_u128(100))]), 0);
    app.hear(updated(mark(HER, 1, 1)), 1);
    assert_eq!(app.state.tick(ROOM, 1), Tick::Stored);
}

#[test]
fn members_who_come_or_go_make_the_marks_be_asked_for_again() {
    let mut app = with_own_messages();
    assert_eq!(app.asking(1), None);
    app.hear(new(2, 3, vec![Message { kind: "system".into(), ..message(3) }]), 2);
    let (request, ask) = app.asking(2).unwrap();
    assert_eq!(ask, Ask::Receipts { conversation: ROOM });
    let only_her = vec![mark(HER, 2, 2)];
    app.state.answered(request, Ok(Answer::Receipts(only_her)), 3);
    assert_eq!(app.state.tick(ROOM, 2), Tick::Read);
}

#[test]
fn a_receipt_that_was_lost_is_found_by_a_heartbeat_and_looked_for_ever_less_often() {
    let mut app = with_own_messages();
    let mut asked = vec![];
    for beat in 1..=16 {
        let ok = HeartbeatOk { now: String::new(), behind: vec![] };
        app.hear(Said::HeartbeatOk(ok), beat);
        while let Some((request, ask)) = app.asking(beat) {
            // One of every fourth is a sync.
            if ask != (Ask::Receipts { conversation: ROOM }) {
                app.state.answered(request, Ok(super::page(vec![])), beat);
                continue;
            }
            asked.push(beat);
            let marks = if beat < 16 { vec![mark(HER, 0, 0)] } else { vec![mark(HER, 2, 2)] };
            app.state.answered(request, Ok(Answer::Receipts(marks)), beat);
        }
    }
    assert_eq!(asked, [1, 2, 4, 8, 16]);
    assert_eq!(app.state.tick(ROOM, 2), Tick::Read);
}

#[test]
fn typing_is_said_once_in_three_seconds_and_its_end_too() {
    let mut app = App::idle();
    for now in [0, 100, 200, 300] {
        app.state.set_typing(ROOM, true, now);
    }
    assert_eq!(app.saying("typing", 300).unwrap().data["active"], true);
    app.state.set_typing(ROOM, true, 400);
    assert_eq!(app.saying("typing", 3_299), None);
    assert_eq!(app.saying("typing", 3_300).unwrap().data["active"], true);
    app.state.set_typing(ROOM, false, 3_400);
    assert_eq!(app.saying("typing", 6_300).unwrap().data["active"], false);
    app.state.set_typing(ROOM, false, 9_400);
    assert_eq!(app.saying("typing", 99_000), None);
}

#[test]
fn who_types_is_shown_until_they_stop_or_send_or_fall_silent() {
    let mut app = App::idle();
    app.hear(types(HER, true), 0);
    app.hear(types(THIRD, true), 1);
    assert_eq!(app.state.typists(ROOM, 1), [HER, THIRD]);
    app.hear(types(THIRD, false), 2);
    assert_eq!(app.state.typists(ROOM, 2), [HER]);
    app.hear(push(0, 1), 3);
    assert!(app.state.typists(ROOM, 3).is_empty());
    app.hear(types(HER, true), 10);
    app.look(1_100);
    assert_eq!(app.state.next_wake(1_100), Some(6_010));
    assert!(app.state.typists(ROOM, 6_010).is_empty());
    app.state.take_events();
    app.look(6_010);
    assert_eq!(app.state.take_events(), [Event::Conversation { conversation: ROOM }]);
}

#[test]
fn people_on_the_screen_are_watched_again_before_the_watch_ends() {
    let mut app = App::idle();
    assert_eq!(app.state.watch_presence(&[HER], 0), 0);
    let first = app.saying("presence.watch", 0).unwrap();
    assert_eq!(first.data, json!({ "user_ids": [HER] }));
    assert_eq!(app.saying("presence.watch", 59_999), None);
    assert!(app.saying("presence.watch", 60_000).is_some());
    app.state.watch_presence(&[], 60_001);
    assert_eq!(app.saying("presence.watch", 200_000), None);
}

#[test]
fn the_next_socket_hears_again_whom_one_watches_and_how_one_wants_to_be_seen() {
    let mut app = App::idle();
    app.state.watch_presence(&[HER], 0);
    app.state.set_presence("invisible");
    app.saying("presence.watch", 0).unwrap();
    app.saying("presence.set", 0).unwrap();
    app.state.closed(1, 1);
    let socket = app.opening(1_000).unwrap();
    app.state.opened(socket, 1_000);
    assert_eq!(app.saying("presence.watch", 1_000).unwrap().socket, socket);
    assert_eq!(app.saying("presence.set", 1_000).unwrap().data["status"], "invisible");
}

#[test]
fn presence_is_known_of_those_who_are_watched_and_only_while_online() {
    let mut app = App::idle();
    app.state.watch_presence(&[HER], 0);
    let seen = |user_id| Presence { user_id, status: "away".into(), last_seen_at: None };
    let users = vec![seen(HER), seen(THIRD)];
    app.hear(Said::PresenceChanged(PresenceChanged { users }), 1);
    assert_eq!(app.state.presence(HER).unwrap().status, "away");
    assert_eq!(app.state.presence(THIRD), None);
    app.state.closed(1, 2);
    assert_eq!(app.state.presence(HER), None);
}

#[test]
fn at_most_fifty_people_are_watched() {
    let mut app = App::idle();
    let crowd: Vec<_> = (100..160).map(Uuid::from_u128).collect();
    assert_eq!(app.state.watch_presence(&crowd, 0), 10);
    let said = app.saying("presence.watch", 0).unwrap();
    assert_eq!(said.data["user_ids"].as_array().unwrap().len(), 50);
}
