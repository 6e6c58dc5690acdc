//! The outbox.

use protocol::frame::{ErrorData, ErrorItem, MessageRejected, Nudge, Said};
use uuid::Uuid;

use super::super::{AskError, Event, Stage};
use super::{App, ROOM, changes, frame, new, own};

fn error(code: &str, retry_after_ms: Option<u64>) -> Said {
    let detail = String::new();
    Said::Error(ErrorData { code: code.into(), detail, retry_after_ms, items: None })
}

fn rejected(client_id: Uuid, code: &str, retryable: bool) -> Said {
    let code = code.to_owned();
    Said::MessageRejected(MessageRejected { conversation_id: ROOM, client_id, code, retryable })
}

#[test]
fn one_frame_is_in_flight_until_it_is_accepted() {
    let mut app = App::idle();
    let ids: Vec<_> = (100..112).map(|number| app.post(number, 0)).collect();
    let first = app.sending(1).unwrap();
    assert_eq!(first.client_ids(), ids[..10]);
    assert_eq!(app.sending(2), None);
    app.accept(&first, 3);
    assert_eq!(app.sending(4).unwrap().client_ids(), ids[10..]);
    assert_eq!((app.state.unsettled(), app.state.unaccepted()), (12, 2));
    assert_eq!(app.state.stage(ROOM, ids[0]), Some(Stage::Accepted));
    assert_eq!(app.state.stage(ROOM, ids[11]), Some(Stage::Waiting));
}

#[test]
fn a_retry_keeps_its_client_id_and_its_place() {
    let mut app = App::idle();
    let first = app.post(100, 0);
    let sent = app.sending(0).unwrap();
    let second = app.post(101, 1);
    // Nobody answers.
    assert_eq!(app.sending(9_999), None);
    app.look(10_000);
    let again = app.sending(11_000).unwrap();
    assert_eq!(again.client_ids(), [first, second]);
    assert_ne!(again.id, sent.id);
    // The answer to the first try counts for what it names, however late.
    app.accept(&sent, 11_001);
    assert_eq!(app.state.stage(ROOM, first), Some(Stage::Accepted));
    assert_eq!(app.state.stage(ROOM, second), Some(Stage::Waiting));
    assert_eq!(app.sending(11_002), None);
}

#[test]
fn a_frame_never_exceeds_the_limit_however_its_text_is_escaped() {
    let mut app = App::idle();
    let text = "\"\u{1}".repeat(1_500);
    for number in 0..9 {
        app.state.post_text(ROOM, Uuid::from_u128(number), &text, 0);
    }
    let mut frames = 0;
    while let Some(sent) = app.sending(frames) {
        assert!(sent.data.to_string().len() < 30_600);
        app.accept(&sent, frames);
        frames += 1;
    }
    assert_eq!(app.state.unaccepted(), 0);
    assert_eq!(frames, 5);
}

#[test]
fn what_fits_no_frame_is_refused_at_once() {
    let mut app = App::idle();
    app.state.post_text(ROOM, Uuid::from_u128(9), &"\u{1}".repeat(8_000), 0);
    assert_eq!(app.state.refusals(ROOM)[&Uuid::from_u128(9)], "frame_too_large");
    assert_eq!(app.sending(0), None);
}

#[test]
fn a_full_outbox_refuses_instead_of_growing() {
    let mut app = App::new();
    let ids: Vec<_> = (0..1_001).map(|number| app.post(number, 0)).collect();
    assert_eq!(app.state.refusals(ROOM)[&ids[1_000]], "outbox_full");
    assert_eq!(app.state.unsettled(), 1_000);
}

#[test]
fn a_refusal_with_a_time_is_waited_out_and_one_without_is_final() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    let first = app.sending(1).unwrap();
    app.state.heard(1, frame(error("too_many_requests", Some(200)), Some(first.id)), 10);
    assert_eq!(app.sending(209), None);
    let second = app.sending(210).unwrap();
    assert_eq!(second.client_ids(), [id]);
    app.state.heard(1, frame(error("conversation_not_found", None), Some(second.id)), 220);
    assert_eq!(app.state.refusals(ROOM)[&id], "conversation_not_found");
    assert_eq!(app.state.unsettled(), 0);
}

#[test]
fn one_bad_message_does_not_take_its_frame_with_it() {
    let mut app = App::idle();
    let ids: Vec<_> = (100..103).map(|number| app.post(number, 0)).collect();
    let sent = app.sending(0).unwrap();
    let item = ErrorItem { client_id: Some(ids[1].to_string()), code: "invalid_mention".into() };
    let refused = Said::Error(ErrorData {
        code: "validation_failed".into(),
        detail: String::new(),
        retry_after_ms: None,
        items: Some(vec![item]),
    });
    app.state.heard(1, frame(refused, Some(sent.id)), 1);
    assert_eq!(app.state.refusals(ROOM).keys().collect::<Vec<_>>(), [&ids[1]]);
    assert_eq!(app.sending(1).unwrap().client_ids(), [ids[0], ids[2]]);
}

#[test]
fn a_message_seen_in_history_needs_no_acceptance() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    app.sending(1).unwrap();
    app.hear(new(0, 1, vec![own(1, id)]), 2);
    assert_eq!(app.state.unsettled(), 0);
    assert_eq!(app.sending(60_000), None);
    let stored = Event::Stored { conversation: ROOM, client_id: id, seq: 1 };
    assert!(app.state.take_events().contains(&stored));
}

#[test]
fn a_repeated_push_confirms_what_was_sent_again() {
    let mut app = App::idle();
    app.hear(new(0, 1, vec![own(1, Uuid::from_u128(100))]), 1);
    // The app was started anew and does not know that it had sent this.
    app.post(100, 2);
    app.sending(2).unwrap();
    app.hear(new(0, 1, vec![own(1, Uuid::from_u128(100))]), 3);
    assert_eq!(app.state.unsettled(), 0);
}

#[test]
fn an_accepted_message_that_nobody_pushes_is_looked_for_and_then_said_again() {
    let mut app = App::idle();
    let ids = [app.post(101, 0), app.post(100, 0)];
    let sent = app.sending(0).unwrap();
    app.accept(&sent, 2);
    assert_eq!(app.fetching(30_001), None);
    let (request, _) = app.fetching(30_002).unwrap();
    assert_eq!(app.sending(30_003), None, "it is looked for first");
    app.state.answered(request, Ok(changes(0, 0)), 30_010);
    assert_eq!(app.sending(30_010).unwrap().client_ids(), ids);
}

#[test]
fn an_accepted_message_that_is_found_is_not_said_again() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    let sent = app.sending(0).unwrap();
    app.accept(&sent, 0);
    let (request, _) = app.fetching(30_000).unwrap();
    let super::Answer::Changes(mut found) = changes(0, 1) else { panic!("changes") };
    found.items = vec![own(1, id)];
    app.state.answered(request, Ok(super::Answer::Changes(found)), 30_001);
    assert_eq!(app.sending(30_001), None);
    assert_eq!(app.state.unsettled(), 0);
}

#[test]
fn a_message_that_vanishes_again_is_looked_for_after_twice_the_time() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    let mut since = 0;
    for patience in [30_000, 60_000, 120_000] {
        let sent = app.sending(since).unwrap();
        assert_eq!(sent.client_ids(), [id]);
        app.accept(&sent, since);
        assert_eq!(app.fetching(since + patience - 1), None);
        let (request, _) = app.fetching(since + patience).unwrap();
        since += patience + 1;
        app.state.answered(request, Ok(changes(0, 0)), since);
    }
}

#[test]
fn a_message_whose_rejection_was_lost_is_said_again_though_the_conversation_is_gone() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    let sent = app.sending(0).unwrap();
    app.accept(&sent, 0);
    let behind = Nudge { conversation_id: ROOM, last_seq: 9 };
    app.hear(Said::Nudge(behind), 29_999);
    let (request, _) = app.fetching(29_999).unwrap();
    app.look(30_000);
    app.state.answered(request, Err(AskError::Gone), 30_001);
    assert_eq!(app.sending(30_001).unwrap().client_ids(), [id]);
}

#[test]
fn a_final_rejection_ends_a_message_and_a_passing_one_is_tried_again_a_few_times() {
    let mut app = App::idle();
    let (gone, poisoned) = (app.post(100, 0), app.post(101, 0));
    let sent = app.sending(0).unwrap();
    app.accept(&sent, 1);
    app.hear(rejected(gone, "blocked", false), 2);
    assert_eq!(app.state.refusals(ROOM)[&gone], "blocked");
    let mut now = 2;
    for _ in 0..3 {
        app.hear(rejected(poisoned, "quarantined", true), now);
        now += 10_000;
        let again = app.sending(now).unwrap();
        assert_eq!(again.client_ids(), [poisoned]);
        app.accept(&again, now);
    }
    app.hear(rejected(poisoned, "quarantined", true), now);
    assert_eq!(app.state.refusals(ROOM)[&poisoned], "quarantined");
    assert_eq!(app.sending(now + 10_000), None);
    assert_eq!(app.state.unsettled(), 0);
}

#[test]
fn a_message_that_is_in_history_after_all_is_not_shown_as_refused() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    app.hear(rejected(id, "quarantined", false), 1);
    app.hear(new(0, 1, vec![own(1, id)]), 2);
    assert!(app.state.refusals(ROOM).is_empty());
}

#[test]
fn an_error_of_the_gateway_takes_back_what_is_in_flight_on_that_socket() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    app.sending(0).unwrap();
    app.state.gateway_failed(7, 1);
    assert_eq!(app.sending(600), None, "it was another socket");
    app.state.gateway_failed(1, 601);
    assert_eq!(app.sending(602), None, "not at once");
    assert_eq!(app.sending(1_101).unwrap().client_ids(), [id]);
}

#[test]
fn a_message_posted_twice_is_sent_once() {
    let mut app = App::idle();
    app.post(100, 0);
    app.post(100, 0);
    assert_eq!(app.sending(0).unwrap().client_ids().len(), 1);
    assert_eq!(app.state.unsettled(), 1);
}
