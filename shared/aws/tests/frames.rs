//! Events become frames that a socket may carry, and lose nothing on the way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use aws::frames::encode;
use domain::{Marks, Presence, Seq, limits};
use protocol::frame::{Messages, Said, ServerFrame};
use service::{Event, MemberMarks, PresenceView};
use testkit::ambient::{SeededEntropy, at_ms};
use testkit::contract::live::sample::{
    conversation, message, message_rejected, messages_new, user,
};

fn frames(event: &Event) -> Vec<ServerFrame> {
    let texts = encode(event, &*SeededEntropy::new(1)).unwrap();
    let too_large = texts.iter().find(|text| text.len() > limits::FRAME_MAX_BYTES);
    assert!(too_large.is_none(), "a frame of {} bytes", too_large.unwrap().len());
    texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn news(frame: &ServerFrame) -> &Messages {
    let Said::MessageNew(news) = &frame.said else { panic!("not message.new: {frame:?}") };
    news
}

/// Asserts that the frames follow each other without a gap, and answers what they carry.
fn seqs_in_order(frames: &[ServerFrame], after: i64, through: i64) -> Vec<i64> {
    let mut at = after;
    let mut seqs = Vec::new();
    for frame in frames {
        let news = news(frame);
        assert_eq!(news.after, at);
        at = news.through;
        seqs.extend(news.messages.iter().map(|message| message.seq));
        let inside = |rev: i64| news.after < rev && rev <= news.through;
        assert!(news.messages.iter().all(|message| inside(message.rev)));
    }
    assert_eq!(at, through);
    seqs
}

#[test]
fn a_small_event_is_one_frame_with_an_id_of_its_own() {
    let entropy = SeededEntropy::new(1);
    let event = message_rejected();
    let ids = [(); 2].map(|()| {
        let texts = encode(&event, &*entropy).unwrap();
        assert_eq!(texts.len(), 1);
        serde_json::from_str::<ServerFrame>(&texts[0]).unwrap().id
    });
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn news_of_nothing_move_the_cursor() {
    let conversation_id = testkit::contract::live::sample::conversation(1);
    let (after, through) = (Seq(4), Seq(9));
    let event = Event::MessagesNew { conversation_id, after, through, messages: vec![] };
    assert_eq!(seqs_in_order(&frames(&event), 4, 9), Vec::<i64>::new());
}

#[test]
fn many_messages_become_frames_that_follow_each_other() {
    for bytes in [1, 100, 2_000, 7_999, 8_000] {
        let text = "x".repeat(bytes);
        let event = messages_new((5..=104).map(|seq| message(seq, &text)).collect());
        let frames = frames(&event);
        assert_eq!(seqs_in_order(&frames, 4, 104), (5..=104).collect::<Vec<_>>());
    }
}

#[test]
fn frames_are_filled_before_a_new_one_begins() {
    let text = "x".repeat(1_000);
    let event = messages_new((1..=100).map(|seq| message(seq, &text)).collect());
    let least = encode(&event, &*SeededEntropy::new(1)).unwrap();
    let bytes: usize = least.iter().map(String::len).sum();
    assert!(least.len() <= bytes.div_ceil(limits::FRAME_MAX_BYTES) + 1, "{}", least.len());
}

#[test]
fn what_the_receiver_may_not_see_still_moves_the_cursor() {
    let text = "x".repeat(8_000);
    let messages = [3, 7, 11, 12, 20].map(|seq| message(seq, &text)).to_vec();
    let conversation_id = messages[0].conversation_id;
    let (after, through) = (Seq(0), Seq(25));
    let event = Event::MessagesNew { conversation_id, after, through, messages };
    let frames = frames(&event);
    assert!(frames.len() > 1);
    assert_eq!(seqs_in_order(&frames, 0, 25), [3, 7, 11, 12, 20]);
}

#[test]
fn a_message_too_large_for_a_frame_becomes_a_nudge() {
    // Control characters take six bytes each in JSON.
    let large = "\u{1}".repeat(8_000);
    let alone = frames(&messages_new(vec![message(1, &large)]));
    assert!(matches!(&alone[..], [ServerFrame { said: Said::Nudge(nudge), .. }]
        if nudge.last_seq == 1));

    let third = messages_new(vec![message(1, "a"), message(2, "b"), message(3, &large)]);
    let frames = frames(&third);
    assert_eq!(seqs_in_order(&frames[..1], 0, 2), [1, 2]);
    let Said::Nudge(nudge) = &frames[1].said else { panic!("not a nudge") };
    assert_eq!((frames.len(), nudge.last_seq), (2, 3));
}

#[test]
fn news_that_cannot_be_cut_without_a_gap_become_a_nudge() {
    let text = "x".repeat(8_000);
    let mut messages: Vec<_> = (1..=5).map(|seq| message(seq, &text)).collect();
    messages[0].rev = Seq(40);
    let conversation_id = messages[0].conversation_id;
    let (after, through) = (Seq(0), Seq(40));
    let event = Event::MessagesNew { conversation_id, after, through, messages };
    let frames = frames(&event);
    let [ServerFrame { said: Said::Nudge(nudge), .. }] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!(nudge.last_seq, 40);
}

#[test]
fn a_goodbye_and_an_error_are_told_as_they_are() {
    let bye = frames(&Event::Bye { reason: "session_ended", reconnect_after_ms: 5 });
    let Said::Bye(said) = &bye[0].said else { panic!("not bye") };
    assert_eq!((said.reason.as_str(), said.reconnect_after_ms), ("session_ended", 5));
    let detail = "a valid access token is required".to_owned();
    let error = frames(&Event::Error { code: "unauthenticated", detail });
    assert!(matches!(&error[0].said, Said::Error(said) if said.code == "unauthenticated"));
}

#[test]
fn changes_are_told_like_news_and_by_their_own_name() {
    let text = "x".repeat(8_000);
    let Event::MessagesNew { conversation_id, after, through, messages } =
        messages_new((1..=20).map(|seq| message(seq, &text)).collect())
    else {
        panic!("not news")
    };
    let frames = frames(&Event::MessagesChanged { conversation_id, after, through, messages });
    let mut at = 0;
    for frame in &frames {
        let Said::MessageChanged(changes) = &frame.said else { panic!("{frame:?}") };
        assert_eq!(changes.after, at);
        at = changes.through;
    }
    assert!(frames.len() > 1 && at == 20, "{at}");
}

#[test]
fn many_marks_and_people_are_told_in_several_frames_and_each_once() {
    let conversation_id = conversation(1);
    let marks = Marks { delivered: Seq(i64::MAX), read: Seq(i64::MAX) };
    let all: Vec<_> = (0..1_000).map(|number| user(number).0).collect();
    let marks = (0..1_000).map(|number| MemberMarks { user_id: user(number), marks });
    let event = Event::ReceiptUpdated { conversation_id, marks: marks.collect() };
    let told = frames(&event).into_iter().flat_map(|frame| match frame.said {
        Said::ReceiptUpdated(updated) => updated.marks,
        said => panic!("{said:?}"),
    });
    assert_eq!(told.map(|marks| marks.user_id).collect::<Vec<_>>(), all);

    let view = |number| PresenceView {
        user_id: user(number),
        presence: Presence::Offline,
        last_seen_at: Some(at_ms(0)),
    };
    let event = Event::PresenceChanged { users: (0..1_000).map(view).collect() };
    let told = frames(&event).into_iter().flat_map(|frame| match frame.said {
        Said::PresenceChanged(changed) => changed.users,
        said => panic!("{said:?}"),
    });
    assert_eq!(told.map(|view| view.user_id).collect::<Vec<_>>(), all);
}

#[test]
fn a_nudge_and_who_is_typing_are_told_as_they_are() {
    let (conversation_id, user_id) = (conversation(1), user(2));
    let nudge = frames(&Event::Nudge { conversation_id, last_seq: Seq(7) });
    assert!(matches!(&nudge[0].said, Said::Nudge(nudge) if nudge.last_seq == 7));
    let typing = Event::Typing { conversation_id, user_id, is_active: true, expires_in_ms: 6_000 };
    let Said::Typing(typing) = &frames(&typing)[0].said else { panic!("not typing") };
    assert_eq!((typing.user_id, typing.active, typing.expires_in_ms), (user_id.0, true, 6_000));
}
