//! Being put out of a conversation, let in again, and told of either too late or not at all.

use protocol::body::{ChangeList, Sync};
use protocol::frame::{
    ContactChanged, ConversationChanged, ErrorData, HeartbeatOk, Messages, Nudge, Said,
};
use protocol::value::{Conversation, Message};
use uuid::Uuid;

use super::super::{Answer, AskError, Event};
use super::{App, HER, ROOM, changes, conversation, entry, frame, message, new, own, page, push};

fn told_to_be_out() -> Said {
    let conversation_id = ROOM;
    Said::ConversationChanged(ConversationChanged::Removed { conversation_id, removed: true })
}

fn described(conversation: Conversation) -> Said {
    Said::ConversationChanged(ConversationChanged::Is { conversation })
}

/// Answers the fetch that is asked for.
fn answer(app: &mut App, answer: Result<Answer, AskError>, now: u64) {
    let (request, _) = app.fetching(now).unwrap();
    app.state.answered(request, answer, now);
}

/// Of two messages, and known to be out of the conversation.
fn app_that_is_out() -> App {
    let mut app = App::idle();
    app.hear(push(0, 2), 0);
    app.hear(told_to_be_out(), 1);
    answer(&mut app, Err(AskError::Gone), 1);
    assert!(app.state.is_removed(ROOM));
    assert_eq!(app.fetching(60_000), None);
    app.state.take_events();
    app
}

fn sync_again(app: &mut App, answer: Answer, now: u64) {
    app.state.disconnect(now);
    app.state.connect(now);
    let socket = app.opening(now).unwrap();
    app.state.opened(socket, now);
    app.answer_sync(answer, now);
}

fn without_the_room() -> Answer {
    Answer::Sync(Sync {
        conversations: vec![],
        removed: vec![ROOM],
        next_cursor: "later".into(),
        has_more: false,
    })
}

#[test]
fn who_is_told_to_be_out_asks_and_is_out_when_the_server_says_so() {
    let mut app = App::idle();
    app.hear(push(0, 2), 0);
    app.state.take_events();
    app.hear(told_to_be_out(), 1);
    assert!(!app.state.is_removed(ROOM), "it may be late");
    answer(&mut app, Err(AskError::Gone), 2);
    assert!(app.state.is_removed(ROOM));
    assert_eq!(app.state.take_events(), [Event::Removed { conversation: ROOM }]);
    assert_eq!(app.state.conversations().count(), 0);
    assert_eq!(app.seqs(), [1, 2], "what was shown is kept");
    app.hear(told_to_be_out(), 3);
    answer(&mut app, Err(AskError::Gone), 3);
    assert_eq!(app.state.take_events(), [], "once is enough");
}

#[test]
fn a_late_word_of_a_removal_removes_nobody_who_is_back() {
    let mut app = App::idle();
    app.hear(push(0, 5), 0);
    app.hear(told_to_be_out(), 1);
    answer(&mut app, Ok(changes(5, 5)), 2);
    assert!(!app.state.is_removed(ROOM));
    assert!(app.state.is_caught_up());
}

#[test]
fn a_removal_from_what_is_not_known_makes_no_conversation() {
    let mut app = App::new();
    app.connect(0);
    app.answer_sync(page(vec![]), 0);
    app.hear(told_to_be_out(), 1);
    assert_eq!((app.fetching(1), app.state.conversations().count()), (None, 0));
}

#[test]
fn who_is_let_in_again_sees_it_at_once_and_fetches_what_they_may_see() {
    let mut app = app_that_is_out();
    app.hear(described(conversation(ROOM, 6)), 70_000);
    assert!(!app.state.is_removed(ROOM));
    answer(&mut app, Ok(changes(5, 6)), 70_001);
    assert_eq!(app.seqs(), [1, 2, 6]);
    assert!(app.state.is_caught_up());
}

#[test]
fn who_is_let_in_again_hears_again_though_the_word_of_it_was_lost() {
    // The next message is pushed, and makes a gap.
    let mut app = app_that_is_out();
    app.hear(push(6, 7), 70_000);
    answer(&mut app, Ok(changes(5, 7)), 70_500);
    assert!(!app.state.is_removed(ROOM));
    assert_eq!(app.seqs(), [1, 2, 6, 7]);
    // Or that is lost too, and the sweep says how far one is behind.
    let mut app = app_that_is_out();
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 7 }), 70_000);
    answer(&mut app, Ok(changes(5, 7)), 70_001);
    assert!(!app.state.is_removed(ROOM));
    assert_eq!(app.state.conversations().count(), 1);
    // Or the next sync lists it.
    let mut app = app_that_is_out();
    sync_again(&mut app, page(vec![entry(ROOM, 7)]), 70_000);
    assert!(!app.state.is_removed(ROOM));
}

#[test]
fn a_late_word_of_being_let_in_does_not_show_what_one_is_out_of() {
    let mut app = app_that_is_out();
    app.hear(described(conversation(ROOM, 2)), 70_000);
    answer(&mut app, Err(AskError::Gone), 70_001);
    assert!(app.state.is_removed(ROOM));
    // Neither does a push that was under way for long.
    app.hear(push(2, 3), 70_002);
    answer(&mut app, Err(AskError::Gone), 70_003);
    assert!(app.state.is_removed(ROOM));
    assert_eq!(app.fetching(200_000), None);
}

#[test]
fn being_let_in_while_the_answer_that_one_is_out_is_under_way_is_not_forgotten() {
    let mut app = App::idle();
    app.hear(push(0, 2), 0);
    app.hear(told_to_be_out(), 1);
    let (late, _) = app.fetching(1).unwrap();
    app.hear(described(conversation(ROOM, 4)), 2);
    app.state.answered(late, Err(AskError::Gone), 3);
    answer(&mut app, Ok(changes(3, 4)), 3);
    assert!(!app.state.is_removed(ROOM));
    // The same when the only word of it is a push.
    let mut app = App::idle();
    app.hear(push(0, 2), 0);
    app.hear(told_to_be_out(), 1);
    let (late, _) = app.fetching(1).unwrap();
    app.hear(push(3, 4), 2);
    app.state.answered(late, Err(AskError::Gone), 3);
    answer(&mut app, Ok(changes(3, 4)), 3);
    assert!(!app.state.is_removed(ROOM));
}

#[test]
fn what_waited_for_an_earlier_push_confirms_own_messages_though_one_is_out() {
    let mut app = App::idle();
    let id = app.post(100, 0);
    let sent = app.sending(0).unwrap();
    app.accept(&sent, 1);
    // Number 1 is under way still.
    app.hear(new(1, 2, vec![own(2, id)]), 2);
    app.hear(told_to_be_out(), 3);
    app.state.take_events();
    answer(&mut app, Err(AskError::Gone), 4);
    assert_eq!(app.state.unsettled(), 0);
    let stored = Event::Stored { conversation: ROOM, client_id: id, seq: 2 };
    assert_eq!(app.state.take_events(), [stored, Event::Removed { conversation: ROOM }]);
}

#[test]
fn a_sync_that_is_late_removes_nobody_who_is_back() {
    let mut app = App::idle();
    app.hear(push(0, 2), 0);
    sync_again(&mut app, without_the_room(), 1);
    assert!(app.state.is_removed(ROOM));
    answer(&mut app, Ok(changes(3, 4)), 2);
    assert!(!app.state.is_removed(ROOM));
    assert!(app.state.is_caught_up());
}

#[test]
fn a_direct_conversation_that_was_hidden_elsewhere_stays_so_until_its_next_message() {
    let mut app = App::new();
    app.connect(0);
    let mut direct = entry(ROOM, 0);
    direct.conversation.conversation_type = "direct".into();
    app.answer_sync(page(vec![direct.clone()]), 0);
    app.hear(push(0, 2), 1);
    sync_again(&mut app, without_the_room(), 2);
    assert_eq!(app.fetching(2), None);
    // The word of its opening comes late.
    app.hear(described(direct.conversation), 2);
    assert!(app.state.is_removed(ROOM));
    // An old message is edited.
    let (after, through) = (2, 3);
    let messages = vec![Message { rev: 3, ..message(1) }];
    let changed = Messages { conversation_id: ROOM, after, through, messages };
    app.hear(Said::MessageChanged(changed), 3);
    assert!(app.state.is_removed(ROOM));
    app.hear(push(3, 4), 4);
    assert!(!app.state.is_removed(ROOM));
    assert_eq!(app.seqs(), [1, 2, 4]);
}

#[test]
fn who_may_not_say_what_they_say_asks_whether_they_are_in() {
    let mut app = App::idle();
    app.hear(push(0, 2), 0);
    app.post(1, 10);
    let spoken = app.sending(10).unwrap();
    let code = "conversation_not_found".to_owned();
    let error = ErrorData { code, detail: String::new(), retry_after_ms: None, items: None };
    app.state.heard(1, frame(Said::Error(error), Some(spoken.id)), 11);
    answer(&mut app, Err(AskError::Gone), 12);
    assert!(app.state.is_removed(ROOM));
}

/// Of somebody else, who changed something.
fn told_by_message(seq: i64) -> Answer {
    let kind = "system".to_owned();
    let items = vec![Message { kind, text: None, ..message(seq) }];
    Answer::Changes(ChangeList { items, through: seq, last_seq: seq, has_more: false })
}

fn title(app: &App) -> Option<String> {
    let (_, known) = app.state.conversations().next()?;
    known?.title.clone()
}

#[test]
fn a_change_whose_description_was_lost_is_asked_for_once() {
    let mut app = App::idle();
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 1 }), 0);
    answer(&mut app, Ok(told_by_message(1)), 1);
    assert!(!app.state.is_caught_up());
    assert_eq!(app.asking(100), None, "it may be under way");
    let mut renamed = entry(ROOM, 1);
    renamed.conversation.title = Some("Renamed".into());
    app.answer_sync(page(vec![renamed]), 6_001);
    assert_eq!(title(&app).as_deref(), Some("Renamed"));
    assert!(app.state.is_caught_up());
    assert_eq!(app.asking(100_000), None);
}

#[test]
fn a_change_that_is_described_asks_for_nothing() {
    let mut app = App::idle();
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 1 }), 0);
    answer(&mut app, Ok(told_by_message(1)), 1);
    app.hear(described(conversation(ROOM, 1)), 2);
    assert!(app.state.is_caught_up());
    assert_eq!(app.asking(100_000), None);
    // Nor does one of before that comes late.
    app.hear(push(1, 2), 3);
    assert_eq!(app.asking(200_000), None);
}

#[test]
fn a_nudge_about_what_is_not_known_brings_its_description() {
    let mut app = App::new();
    app.connect(0);
    app.answer_sync(page(vec![]), 0);
    // A direct conversation in which nothing was said.
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 0 }), 1);
    app.answer_sync(page(vec![entry(ROOM, 0)]), 7_000);
    assert_eq!(title(&app).as_deref(), Some("Engines"));
    app.hear(Said::Nudge(Nudge { conversation_id: ROOM, last_seq: 0 }), 8_000);
    assert_eq!(app.asking(100_000), None);
}

#[test]
fn every_fourth_heartbeat_tells_of_what_was_lost_altogether() {
    let mut app = App::idle();
    let mut now = 0;
    for beat in 1..=4 {
        assert_eq!(app.asking(now), None, "before heartbeat {beat}");
        now += 240_000;
        let heartbeat = app.saying("heartbeat", now).unwrap();
        let ok = Said::HeartbeatOk(HeartbeatOk {
            behind: vec![],
            now: "2026-01-01T00:00:00.000Z".into(),
        });
        app.state.heard(1, frame(ok, Some(heartbeat.id)), now);
    }
    let other = Uuid::from_u128(8);
    app.answer_sync(page(vec![entry(other, 0)]), now);
    assert_eq!(app.state.conversations().count(), 2);
    assert_eq!(app.asking(now), None);
}

#[test]
fn an_older_description_that_comes_later_does_not_replace_a_newer_one() {
    let mut app = App::idle();
    app.hear(push(0, 3), 0);
    let titled = |title: &str, last_seq| {
        let title = Some(title.to_owned());
        described(Conversation { title, ..conversation(ROOM, last_seq) })
    };
    app.hear(titled("Newer", 3), 1);
    // Changed in the same millisecond.
    app.hear(titled("Older", 2), 2);
    let (_, known) = app.state.conversations().next().unwrap();
    assert_eq!(known.unwrap().title.as_deref(), Some("Newer"));
}

#[test]
fn what_happens_between_contacts_is_told() {
    let mut app = App::idle();
    app.state.take_events();
    for status in ["requested", "contacts", "removed"] {
        let (user_id, status) = (HER, status.to_owned());
        let changed = ContactChanged { user_id, status: status.clone(), request: None };
        app.state.heard(1, frame(Said::ContactChanged(changed), None), 1);
        assert_eq!(app.state.take_events(), [Event::Contact { user: HER, status }]);
    }
}
