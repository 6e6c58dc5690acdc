//! Frames that no honest client says: each gets its documented answer, and the socket lives on.

use harness::{Heard, Socket, text_draft, unique_id};
use protocol::frame::Said;
use protocol::value::MessageDraft;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{a_pair, client_id, draft};

async fn assert_alive(socket: &mut Socket) {
    let frame = socket.say_frame("heartbeat", json!({ "cursors": [] })).await.unwrap();
    assert!(matches!(socket.answer_to(frame).await.unwrap(), Said::HeartbeatOk(_)));
}

#[tokio::test]
async fn what_is_no_frame_is_answered_with_an_error() {
    let (ada, _, _) = a_pair().await;
    let mut socket = ada.socket().await.unwrap();
    let id = unique_id();
    for (text, code) in [
        ("hello", "invalid_json"),
        ("{", "invalid_json"),
        ("{\"type\":\"message.send\"", "invalid_json"),
        ("\u{0}", "invalid_json"),
        ("[]", "validation_failed"),
        ("1", "validation_failed"),
        ("null", "validation_failed"),
        ("{}", "validation_failed"),
        ("{\"type\":5}", "validation_failed"),
        ("{\"type\":\"message.send\"}", "validation_failed"),
        ("{\"type\":\"message.send\",\"id\":\"x\"}", "validation_failed"),
        ("{\"type\":\"heartbeat\",\"id\":null}", "validation_failed"),
        (&format!("{{\"id\":\"{id}\"}}"), "validation_failed"),
        (&"[".repeat(20_000), "invalid_json"),
    ] {
        socket.say(text).await.unwrap();
        let error = socket.error().await.unwrap();
        assert_eq!(error.code, code, "{text:.60}: {}", error.detail);
    }
    assert_alive(&mut socket).await;
}

#[tokio::test]
async fn an_unknown_frame_is_answered_with_an_error_that_names_it() {
    let (ada, _, _) = a_pair().await;
    let mut socket = ada.socket().await.unwrap();
    for frame_type in ["message.sendd", "message.new", "bye", "", "$connect", "$disconnect", "🚀"]
    {
        let frame = socket.say_frame(frame_type, json!({})).await.unwrap();
        assert_eq!(socket.refused(frame).await.unwrap().code, "unknown_frame", "{frame_type:?}");
    }
    assert_alive(&mut socket).await;
}

/// `data` of a `message.send` and what its one refused item is told.
fn hostile_items() -> Vec<(Value, &'static str)> {
    let id = unique_id();
    let with = |more: Value| {
        let mut item = json!({ "client_id": id, "text": "hi" });
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    let mention =
        |start: i64| json!({ "mentions": [{ "user_id": id, "start": start, "length": 1 }] });
    vec![
        (json!({ "text": "no name" }), "required"),
        (with(json!({ "client_id": "x" })), "invalid_uuid"),
        (with(json!({ "client_id": "' OR 1=1 --aaaaaaaaaaaaaaaaaaaaaaaaaa" })), "invalid_uuid"),
        (with(json!({ "text": null })), "text_required"),
        (with(json!({ "text": "" })), "invalid_text_length"),
        (with(json!({ "text": "é".repeat(4_001) })), "invalid_text_length"),
        (with(json!({ "text": "a\u{0}b" })), "invalid_text_character"),
        (with(json!({ "text": "\u{FFFE}" })), "invalid_text_character"),
        (with(json!({ "kind": "system" })), "invalid_kind"),
        (with(json!({ "kind": "hologram" })), "invalid_kind"),
        (with(json!({ "kind": "image" })), "attachments_required"),
        (with(json!({ "kind": "image", "attachment_ids": [id] })), "attachment_not_found"),
        (with(json!({ "attachment_ids": [id] })), "attachments_not_allowed"),
        (with(json!({ "reply_to": 0 })), "invalid_reply_to"),
        (with(json!({ "reply_to": -1 })), "invalid_seq"),
        (with(mention(2)), "invalid_mention"),
        (with(json!({ "sent_at": "yesterday" })), "invalid_time"),
    ]
}

#[tokio::test]
async fn one_bad_message_refuses_its_whole_frame_and_nothing_of_it_is_stored() {
    let (ada, _, conversation) = a_pair().await;
    let mut socket = ada.socket().await.unwrap();
    for (item, code) in hostile_items() {
        let messages = json!([draft("an innocent one"), item]);
        let data = json!({ "conversation_id": conversation, "messages": messages });
        let frame = socket.say_frame("message.send", data).await.unwrap();
        let error = socket.refused(frame).await.unwrap();
        assert_eq!(error.code, "validation_failed", "{item}");
        let items = error.items.unwrap_or_default();
        assert_eq!(items.len(), 1, "{item}: {items:?}");
        assert_eq!(items[0].code, code, "{item}");
        assert_eq!(items[0].client_id.as_deref(), item["client_id"].as_str(), "{item}");
    }
    let good = draft("a good one");
    let frame = socket.send(conversation, std::slice::from_ref(&good)).await.unwrap();
    socket.accepted(frame).await.unwrap();
    socket.pushed(conversation).await.unwrap();
    let history = ada.history(conversation).await.unwrap();
    assert_eq!(history.iter().map(|m| m.client_id).collect::<Vec<_>>(), [client_id(&good)]);
}

#[tokio::test]
async fn data_of_a_wrong_shape_is_answered_with_an_error() {
    let (ada, _, conversation) = a_pair().await;
    let mut socket = ada.socket().await.unwrap();
    let eleven: Vec<_> = (0..11).map(|_| draft("hi")).collect();
    let cursors: Vec<_> =
        (0..201).map(|_| json!({ "conversation_id": conversation, "cursor": 0 })).collect();
    let cursor =
        |id: Value, at: Value| json!({ "cursors": [{ "conversation_id": id, "cursor": at }] });
    for (frame_type, data) in [
        ("message.send", Value::Null),
        ("message.send", json!([])),
        ("message.send", json!("text")),
        ("message.send", json!({})),
        ("message.send", json!({ "conversation_id": conversation })),
        ("message.send", json!({ "conversation_id": conversation, "messages": [] })),
        ("message.send", json!({ "conversation_id": conversation, "messages": {} })),
        ("message.send", json!({ "conversation_id": conversation, "messages": [1] })),
        ("message.send", json!({ "conversation_id": conversation, "messages": eleven })),
        ("message.send", json!({ "conversation_id": "x", "messages": [draft("hi")] })),
        ("message.send", json!({ "conversation_id": 5, "messages": [draft("hi")] })),
        ("message.send", json!({ "messages": [draft("hi")] })),
        ("heartbeat", json!([])),
        ("heartbeat", json!({ "cursors": 1 })),
        ("heartbeat", json!({ "cursors": cursors })),
        ("heartbeat", cursor(json!("x"), json!(0))),
        ("heartbeat", cursor(json!(conversation), json!(-1))),
        ("heartbeat", cursor(json!(conversation), json!(1e300))),
        ("heartbeat", cursor(json!(conversation), json!("0"))),
    ] {
        let shown = data.to_string();
        let frame = socket.say_frame(frame_type, data).await.unwrap();
        let error = socket.refused(frame).await.unwrap();
        assert_eq!(error.code, "validation_failed", "{frame_type} {shown:.100}");
    }
    assert_alive(&mut socket).await;
}

fn padded(conversation: Uuid, bytes: usize) -> String {
    let frame = |padding: &str| {
        let draft = text_draft(unique_id(), "hi");
        let data = json!({ "conversation_id": conversation, "messages": [draft] });
        let frame =
            json!({ "type": "message.send", "id": unique_id(), "data": data, "x": padding });
        frame.to_string()
    };
    let empty = frame("").len();
    frame(&"x".repeat(bytes - empty))
}

#[tokio::test]
async fn a_frame_may_have_30720_bytes_and_no_more() {
    let (ada, _, conversation) = a_pair().await;
    let mut socket = ada.socket().await.unwrap();
    socket.say(padded(conversation, domain::limits::FRAME_MAX_BYTES)).await.unwrap();
    let pushed = socket.pushed(conversation).await.unwrap();
    assert_eq!(pushed.through, 1);
    socket.say(padded(conversation, domain::limits::FRAME_MAX_BYTES + 1)).await.unwrap();
    let told = socket.wait_for("error", |heard| match heard {
        Heard::Frame(frame) => match &frame.said {
            Said::Error(error) => Some(error.code.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(told.await.unwrap(), "frame_too_large");
    assert_alive(&mut socket).await;
}

#[tokio::test]
async fn a_frame_that_the_gateway_cannot_carry_closes_the_socket() {
    let (ada, _, conversation) = a_pair().await;
    for bytes in [33_000, 200_000] {
        let mut socket = ada.socket().await.unwrap();
        // The gateway may hang up before it has read all of it.
        let _ = socket.say(padded(conversation, bytes)).await;
        assert_eq!(socket.closed().await.unwrap(), Some(1009), "{bytes}");
    }
    let mut socket = ada.socket().await.unwrap();
    socket.say_bytes(b"\xFF\x00").await.unwrap();
    assert_eq!(socket.closed().await.unwrap(), Some(1003));
}

#[tokio::test]
async fn hostile_text_comes_back_as_it_was_sent() {
    let (ada, bob, conversation) = a_pair().await;
    let mut his = bob.socket().await.unwrap();
    let text = MessageDraft { text: Some(HOSTILE.to_owned()), ..draft("") };
    ada.send(conversation, &text).await.unwrap();
    let pushed = his.pushed(conversation).await.unwrap();
    assert_eq!(pushed.messages[0].text.as_deref(), Some(HOSTILE));
    assert_eq!(bob.history(conversation).await.unwrap()[0].text.as_deref(), Some(HOSTILE));
}

const HOSTILE: &str = "\u{1}\u{7f}\u{85}\u{2028}\u{202e}\u{feff}\u{e0001}\u{10ffff} \
    '); DROP TABLE messages; -- <img src=x onerror=alert(1)> ${jndi:ldap://x} %00%0a \\u0000 \\ \" \
    {\"type\":\"bye\"} \r\n\t Z\u{351}\u{36b}\u{343} \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
