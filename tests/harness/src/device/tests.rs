use protocol::body::ChangeList;
use protocol::frame::{ErrorData, MessageAccepted, Messages, Said, ServerFrame};
use protocol::value::Message;
use uuid::Uuid;

use super::state::{Action, State};

const ROOM: Uuid = Uuid::from_u128(7);
const ME: Uuid = Uuid::from_u128(1);

fn message(seq: i64) -> Message {
    Message {
        conversation_id: ROOM,
        seq,
        rev: seq,
        client_id: Uuid::from_u128(seq.unsigned_abs().into()),
        sender_id: Uuid::from_u128(2),
        kind: "text".into(),
        text: Some(format!("{seq}")),
        reply_to: None,
        attachments: vec![],
        mentions: vec![],
        reactions: vec![],
        pinned: false,
        event: None,
        sent_at: None,
        created_at: "2026-01-01T00:00:00.000Z".into(),
        edited_at: None,
        deleted_at: None,
    }
}

fn said(said: Said, in_reply_to: Option<Uuid>) -> ServerFrame {
    ServerFrame { id: Uuid::nil(), in_reply_to, said }
}

fn push(after: i64, through: i64) -> ServerFrame {
    let messages = (after + 1..=through).map(message).collect();
    said(Said::MessageNew(Messages { conversation_id: ROOM, after, through, messages }), None)
}

fn seqs(state: &State) -> Vec<i64> {
    state.transcript(ROOM).iter().map(|message| message.seq).collect()
}

/// Online, with nothing to do.
fn idle() -> State {
    let mut state = State::new(ME);
    state.follow(ROOM, 0);
    state.opened(0);
    assert_eq!(state.due(0), [Action::Fetch { conversation: ROOM, after: 0 }]);
    state.fetched(ROOM, changes(0, 0), 0);
    assert_eq!(state.due(0), []);
    state
}

fn changes(after: i64, through: i64) -> ChangeList {
    let items = (after + 1..=through).map(message).collect();
    ChangeList { items, through, last_seq: through, has_more: false }
}

/// The frame that is to be said now, and the client ids in it.
fn frame(state: &mut State, now: u64) -> Option<(Uuid, Vec<Uuid>)> {
    state.due(now).into_iter().find_map(|action| match action {
        Action::Say(frame) => {
            let messages = frame.data["messages"].as_array().unwrap().clone();
            let id = |m: &serde_json::Value| m["client_id"].as_str().unwrap().parse().unwrap();
            Some((frame.id, messages.iter().map(id).collect()))
        }
        Action::Fetch { .. } => None,
    })
}

#[test]
fn a_repeated_push_is_rendered_once() {
    let mut state = idle();
    for _ in 0..2 {
        state.heard(push(0, 2), 1);
        state.heard(push(1, 2), 1);
    }
    assert_eq!(seqs(&state), [1, 2]);
}

#[test]
fn swapped_pushes_are_rendered_in_order() {
    let mut state = idle();
    state.heard(push(2, 3), 1);
    assert_eq!(seqs(&state), [0_i64; 0]);
    state.heard(push(0, 2), 2);
    assert_eq!(seqs(&state), [1, 2, 3]);
    assert_eq!(state.due(2_000), []);
}

#[test]
fn a_gap_is_fetched_after_half_a_second() {
    let mut state = idle();
    state.heard(push(2, 3), 1_000);
    assert_eq!(state.due(1_499), []);
    assert_eq!(state.due(1_500), [Action::Fetch { conversation: ROOM, after: 0 }]);
    state.fetched(ROOM, changes(0, 3), 1_600);
    assert_eq!(seqs(&state), [1, 2, 3]);
    assert_eq!(state.due(5_000), []);
}

#[test]
fn one_frame_is_in_flight_until_it_is_accepted() {
    let mut state = idle();
    let ids: Vec<_> = (100..112).map(Uuid::from_u128).collect();
    ids.iter().for_each(|id| state.post(ROOM, *id, "hi"));
    let (first, sent) = frame(&mut state, 1).unwrap();
    assert_eq!(sent, ids[..10]);
    assert_eq!(frame(&mut state, 2), None);
    let accepted = MessageAccepted { conversation_id: ROOM, client_ids: sent };
    state.heard(said(Said::MessageAccepted(accepted), Some(first)), 3);
    assert_eq!(frame(&mut state, 4).unwrap().1, ids[10..]);
    assert_eq!(state.unsettled(), 12);
}

#[test]
fn what_was_in_flight_is_said_again_with_the_same_ids_on_the_next_socket() {
    let mut state = idle();
    state.post(ROOM, Uuid::from_u128(100), "hi");
    let (_, sent) = frame(&mut state, 1).unwrap();
    state.lost();
    assert_eq!(frame(&mut state, 2), None);
    state.opened(3);
    assert_eq!(frame(&mut state, 3).unwrap().1, sent);
}

#[test]
fn a_refusal_with_a_time_is_waited_out_and_one_without_is_final() {
    let mut state = idle();
    state.post(ROOM, Uuid::from_u128(100), "hi");
    let (first, _) = frame(&mut state, 1).unwrap();
    let error = |retry_after_ms| {
        let (code, detail) = ("x".to_owned(), String::new());
        Said::Error(ErrorData { code, detail, retry_after_ms, items: None })
    };
    state.heard(said(error(Some(200)), Some(first)), 10);
    assert_eq!(frame(&mut state, 209), None);
    let (second, _) = frame(&mut state, 210).unwrap();
    state.heard(said(error(None), Some(second)), 220);
    assert_eq!(state.refusals(ROOM)[&Uuid::from_u128(100)], "x");
    assert_eq!(state.unsettled(), 0);
}

#[test]
fn a_message_seen_in_history_needs_no_acceptance() {
    let mut state = idle();
    state.post(ROOM, Uuid::from_u128(1), "hi");
    frame(&mut state, 1).unwrap();
    let own = Message { sender_id: ME, ..message(1) };
    let new = Messages { conversation_id: ROOM, after: 0, through: 1, messages: vec![own] };
    state.heard(said(Said::MessageNew(new), None), 2);
    assert_eq!(state.unsettled(), 0);
    assert_eq!(frame(&mut state, 60_000), None);
}

#[test]
fn an_accepted_message_that_nobody_pushes_is_looked_for_and_said_again() {
    let mut state = idle();
    state.post(ROOM, Uuid::from_u128(100), "hi");
    let (first, sent) = frame(&mut state, 1).unwrap();
    let accepted = MessageAccepted { conversation_id: ROOM, client_ids: sent.clone() };
    state.heard(said(Said::MessageAccepted(accepted), Some(first)), 2);
    assert_eq!(state.due(30_001), []);
    let actions = state.due(30_002);
    assert_eq!(actions[0], Action::Fetch { conversation: ROOM, after: 0 });
    assert_eq!(actions.len(), 2);
}
