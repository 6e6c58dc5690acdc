//! What goes through our queues is read back as it was written, and what is strange is not read.
#![cfg(test)]

use std::path::Path;

use protocol::{frame, job, value};
use serde_json::{Value, json};

fn example(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_message_that_was_changed_is_read_back_as_it_was_written() {
    for name in ["body-message", "server-message-deleted"] {
        let mut document = example(name);
        if name.starts_with("server-") {
            document = document["data"]["messages"][0].take();
        }
        let wire: value::Message = serde_json::from_value(document).unwrap();
        let message = domain::Message::try_from(&wire).unwrap();
        assert_eq!(value::Message::from(&message), wire, "{name}");
    }
}

#[test]
fn what_system_messages_tell_is_read_back_as_it_was_written() {
    let mut document = example("server-message-new-system");
    let wire: Vec<value::Message> =
        serde_json::from_value(document["data"]["messages"].take()).unwrap();
    assert_eq!(wire.len(), 3);
    for wire in &wire {
        let message = domain::Message::try_from(wire).unwrap();
        assert_eq!(&value::Message::from(&message), wire);
    }
}

#[test]
fn a_system_message_with_a_strange_event_is_refused() {
    let document = example("server-message-new-system");
    for (field, hostile, code) in [
        ("type", json!("renamed"), "invalid_event"),
        ("title", json!("two\nlines"), "invalid_title"),
        ("role", json!("king"), "invalid_role"),
    ] {
        let mut message = document["data"]["messages"][0].clone();
        message["event"][field] = hostile;
        let wire: value::Message = serde_json::from_value(message).unwrap();
        assert_eq!(domain::Message::try_from(&wire).unwrap_err().code, code, "{field}");
    }
}

#[test]
fn a_conversation_is_read_back_as_it_was_written() {
    for name in ["body-conversation", "body-conversation-described"] {
        let wire: value::Conversation = serde_json::from_value(example(name)).unwrap();
        let conversation = domain::Conversation::try_from(&wire).unwrap();
        assert_eq!(value::Conversation::from(&conversation), wire, "{name}");
    }
}

#[test]
fn a_conversation_of_the_release_before_keeps_its_history_to_itself() {
    let mut document = example("body-conversation-described");
    document.as_object_mut().unwrap().remove("shares_history");
    let wire: value::Conversation = serde_json::from_value(document).unwrap();
    assert!(!wire.shares_history);
}

#[test]
fn who_is_out_and_what_a_conversation_is_are_told_apart() {
    let said = |name: &str| {
        let frame: frame::ServerFrame = serde_json::from_value(example(name)).unwrap();
        match frame.said {
            frame::Said::ConversationChanged(changed) => changed,
            other => panic!("{name} says {other:?}"),
        }
    };
    let is = said("server-conversation-changed");
    assert!(matches!(is, frame::ConversationChanged::Is { .. }), "{is:?}");
    let removed = said("server-conversation-removed");
    assert!(matches!(removed, frame::ConversationChanged::Removed { removed: true, .. }));
}

#[test]
fn a_mail_of_an_unknown_kind_or_for_nobody_is_refused() {
    let read = |mail: &Value| {
        serde_json::from_value::<job::SendMailV1>(json!({"job": "send-mail/1", "mail": mail}))
    };
    let nobody = uuid::Uuid::nil();
    for mail in [
        json!({"kind": "advertisement", "user_id": nobody}),
        json!({"kind": "verify_email"}),
        json!({"kind": "verify_email", "user_id": "ada"}),
        json!({"kind": "reset_password", "email": null}),
        json!({"user_id": nobody}),
    ] {
        assert!(read(&mail).is_err(), "{mail}");
    }
}
