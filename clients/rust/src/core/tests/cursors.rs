//! One cursor over one counter.

use protocol::frame::{Messages, Nudge, Said};
use protocol::value::{Message, Reaction};

use super::super::{Answer, AskError, Settings, State};
use super::{App, HER, ME, ROOM, changes, frame, message, new, push};

fn changed(after: i64, message: Message) -> Said {
    let (conversation_id, through) = (ROOM, message.rev);
    Said::MessageChanged(Messages { conversation_id, after, through, messages: vec![message] })
}

#[test]
fn a_repeated_push_is_rendered_once() {
    let mut app = App::idle();
    for _ in 0..2 {
        app.hear(push(0, 2), 1);
        app.hear(push(1, 2), 1);
    }
    assert_eq!(app.seqs(), [1, 2]);
    assert_eq!(app.shown(), [1, 2]);
}

#[test]
fn swapped_pushes_are_rendered_in_order() {
    let mut app = App::idle();
    app.hear(push(2, 3), 1);
    assert_eq!(app.seqs(), [0_i64; 0]);
    app.hear(push(0, 2), 2);
    assert_eq!(app.shown(), [1, 2, 3]);
    assert_eq!(app.fetching(2_000), None);
}

#[test]
fn a_lost_push_is_fetched_half_a_second_after_a_later_one() {
    let mut app = App::idle();
    app.hear(push(2, 3), 1_000);
    assert_eq!(app.fetching(1_499), None);
    assert_eq!(app.state.next_wake(1_499), Some(1_500));
    let (request, after) = app.fetching(1_500).unwrap();
    assert_eq!(after, 0);
    app.state.answered(request, Ok(changes(0, 3)), 1_600);
    assert_eq!(app.seqs(), [1, 2, 3]);
    assert_eq!(app.fetching(9_000), None);
}

#[test]
fn a_nudge_is_followed_at_once_and_only_if_one_is_behind() {
    let mut app = App::idle();
    app.hear(push(0, 2), 1);
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 2 }), 2);
    assert_eq!(app.fetching(2), None);
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 3 }), 3);
    assert_eq!(app.fetching(3).unwrap().1, 2);
}

#[test]
fn an_edit_a_reaction_and_a_tombstone_take_the_place_of_what_was_there() {
    let mut app = App::idle();
    app.hear(push(0, 3), 1);
    let edited = Message { rev: 4, text: Some("better".into()), ..message(2) };
    app.hear(changed(3, edited), 2);
    let thumb = Reaction { emoji: "👍".into(), count: 1, user_ids: vec![HER] };
    app.hear(changed(4, Message { rev: 5, reactions: vec![thumb], ..message(1) }), 3);
    let deleted_at = Some("2026-01-01T00:00:01.000Z".into());
    app.hear(changed(5, Message { rev: 6, text: None, deleted_at, ..message(3) }), 4);
    assert_eq!(app.seqs(), [1, 2, 3]);
    assert_eq!(app.shown(), [1, 2, 3]);
    let shown = app.state.transcript(ROOM);
    assert_eq!(shown[1].text.as_deref(), Some("better"));
    assert_eq!(shown[0].reactions.len(), 1);
    assert!(shown[2].text.is_none() && shown[2].deleted_at.is_some());
    assert_eq!(app.state.cursor(ROOM), 6);
}

#[test]
fn an_old_version_never_replaces_a_new_one() {
    let mut app = App::idle();
    app.hear(push(0, 1), 1);
    app.hear(changed(1, Message { rev: 2, text: Some("new".into()), ..message(1) }), 2);
    app.hear(push(0, 1), 3);
    app.hear(changed(1, Message { rev: 2, text: Some("new".into()), ..message(1) }), 4);
    assert_eq!(app.state.transcript(ROOM)[0].text.as_deref(), Some("new"));
    assert_eq!(app.state.cursor(ROOM), 2);
}

#[test]
fn a_frame_with_nothing_that_one_may_see_moves_the_cursor() {
    let mut app = App::idle();
    app.hear(new(0, 4, vec![]), 1);
    app.hear(new(4, 5, vec![message(5)]), 2);
    assert_eq!((app.seqs(), app.state.cursor(ROOM)), (vec![5], 5));
}

#[test]
fn what_is_pushed_while_a_fetch_is_under_way_is_not_lost() {
    let mut app = App::idle();
    app.hear(push(2, 3), 0);
    let (request, _) = app.fetching(500).unwrap();
    app.hear(push(0, 1), 510);
    app.hear(push(4, 5), 520);
    app.state.answered(request, Ok(changes(0, 4)), 600);
    assert_eq!(app.shown(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_long_absence_is_fetched_page_by_page() {
    let mut app = App::idle();
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 4 }), 1);
    let (request, _) = app.fetching(1).unwrap();
    let Answer::Changes(mut first) = changes(0, 2) else { panic!("changes") };
    (first.has_more, first.last_seq) = (true, 4);
    app.state.answered(request, Ok(Answer::Changes(first)), 2);
    let (request, after) = app.fetching(2).unwrap();
    assert_eq!(after, 2);
    app.state.answered(request, Ok(changes(2, 4)), 3);
    assert_eq!(app.seqs(), [1, 2, 3, 4]);
    assert_eq!(app.fetching(10_000), None);
}

#[test]
fn a_fetch_that_fails_is_tried_again_later_each_time() {
    let mut app = App::idle();
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 4 }), 0);
    let mut now = 0;
    let mut waits = vec![];
    for _ in 0..8 {
        let (request, _) = app.fetching(now).unwrap();
        app.state.answered(request, Err(AskError::Failed), now);
        let next = app.state.next_wake(now).unwrap();
        waits.push(next - now);
        now = next;
    }
    assert!(waits[0] >= 500 && waits[7] > waits[0] && waits[7] <= 30_000, "{waits:?}");
}

#[test]
fn a_conversation_that_is_gone_is_removed_and_asked_for_no_more() {
    let mut app = App::idle();
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 4 }), 0);
    let (request, _) = app.fetching(0).unwrap();
    app.state.answered(request, Err(AskError::Gone), 1);
    assert!(app.state.is_removed(ROOM));
    assert_eq!(app.state.conversations().count(), 0);
    assert_eq!(app.fetching(60_000), None);
}

#[test]
fn more_pushes_than_are_held_are_fetched() {
    let mut app = App::idle();
    (1..300).for_each(|seq| app.hear(push(seq, seq + 1), 1));
    let (request, _) = app.fetching(1).unwrap();
    app.state.answered(request, Ok(changes(0, 300)), 2);
    assert_eq!(app.shown(), (1..=300).collect::<Vec<_>>());
}

#[test]
fn a_conversation_longer_than_what_is_kept_forgets_its_beginning_for_good() {
    let settings = Settings { messages_kept: 8, ..Settings::default() };
    let mut state = State::new(ME, settings);
    for seq in 1..=30 {
        state.heard(1, frame(push(seq - 1, seq), None), 1);
    }
    assert!((8..=10).contains(&state.transcript(ROOM).len()));
    assert_eq!(state.transcript(ROOM).last().unwrap().seq, 30);
    let edited = Message { rev: 31, ..message(1) };
    state.heard(1, frame(changed(30, edited), None), 2);
    assert!(state.transcript(ROOM)[0].seq > 1);
}
