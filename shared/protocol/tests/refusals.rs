//! Every `parse` names each field that it refuses, and why.
#![cfg(test)]

use protocol::Fields;
use protocol::body::{CreateConversation, EditMessage, Login, Refresh, Register, UpdateMe};
use protocol::frame::{
    HeartbeatData, MessageSend, PresenceSet, PresenceWatch, ReceiptData, TypingData,
};
use protocol::job::{JobConnection, PersistMessagesV1};
use protocol::value::{MessageDraft, Progress, Reaction};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const ID: &str = "8d6f2c1a-3b4e-4f5a-9c6d-7e8f90a1b2c3";

/// A good document, with what is wrong laid over it; null takes a field away.
fn changed(good: &Value, change: &Value) -> Value {
    let mut document = good.clone();
    for (name, value) in change.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn check<T: DeserializeOwned>(
    good: &Value,
    parse: fn(T) -> Result<(), Fields>,
    table: &[(Value, &[(&str, &str)])],
) {
    assert_eq!(parse(serde_json::from_value(good.clone()).unwrap()), Ok(()), "{good}");
    for (change, expected) in table {
        let document = changed(good, change);
        let refused = parse(serde_json::from_value(document.clone()).unwrap()).unwrap_err();
        let refused: Vec<_> =
            refused.0.iter().map(|(name, why)| (name.as_str(), why.code)).collect();
        assert_eq!(&refused[..], *expected, "{document}");
        for (name, detail) in &parse(serde_json::from_value(document).unwrap()).unwrap_err().0 {
            assert!(!detail.detail.is_empty(), "{name} is refused without a reason");
        }
    }
}

#[test]
fn a_registration_names_every_bad_field_at_once() {
    let good = json!({"username": "ada", "email": "ada@example.com", "password": "12345678"});
    let long = "x".repeat(257);
    check::<Register>(
        &good,
        |body| body.parse().map(drop),
        &[
            (json!({"username": null}), &[("username", "required")]),
            (json!({"username": "a b"}), &[("username", "invalid_username")]),
            (json!({"username": "аda"}), &[("username", "invalid_username")]),
            (json!({"email": "ada"}), &[("email", "invalid_email")]),
            (json!({"email": "a@b.c\r\nBcc: x@y.z"}), &[("email", "invalid_email")]),
            (json!({"password": "short"}), &[("password", "invalid_password")]),
            (json!({"password": long}), &[("password", "invalid_password")]),
            (json!({"display_name": "a\nb"}), &[("display_name", "invalid_display_name")]),
            (
                json!({"username": "", "email": null, "password": "", "display_name": " "}),
                &[
                    ("username", "invalid_username"),
                    ("email", "required"),
                    ("password", "invalid_password"),
                    ("display_name", "invalid_display_name"),
                ],
            ),
        ],
    );
}

#[test]
fn a_login_is_bounded_and_says_what_is_missing() {
    let good = json!({"login": "ada", "password": "12345678", "device_name": "phone"});
    let long = "x".repeat(255);
    check::<Login>(
        &good,
        |body| body.parse().map(drop),
        &[
            (json!({"login": null}), &[("login", "required")]),
            (json!({"login": ""}), &[("login", "invalid_login")]),
            (json!({"login": long}), &[("login", "invalid_login")]),
            (json!({"login": "a\u{0}b"}), &[("login", "invalid_login")]),
            (json!({"password": null}), &[("password", "required")]),
            (json!({"password": "1234567"}), &[("password", "invalid_password")]),
            (json!({"device_name": "a\nb"}), &[("device_name", "invalid_device_name")]),
            (json!({"device_name": "x".repeat(65)}), &[("device_name", "invalid_device_name")]),
        ],
    );
}

#[test]
fn a_refresh_needs_its_token() {
    let good = json!({"refresh_token": "r"});
    let expected: &[(&str, &str)] = &[("refresh_token", "required")];
    check::<Refresh>(
        &good,
        |body| body.parse().map(drop),
        &[(json!({"refresh_token": null}), expected)],
    );
}

#[test]
fn a_change_of_the_account_is_checked_field_by_field() {
    check::<UpdateMe>(
        &json!({}),
        |body| body.parse().map(drop),
        &[
            (json!({"display_name": ""}), &[("display_name", "invalid_display_name")]),
            (json!({"bio": "x".repeat(513)}), &[("bio", "invalid_bio")]),
            (json!({"bio": "\u{0}"}), &[("bio", "invalid_bio")]),
            (
                json!({"display_name": "\u{7}", "bio": "\u{ffff}"}),
                &[("display_name", "invalid_display_name"), ("bio", "invalid_bio")],
            ),
        ],
    );
}

#[test]
fn a_direct_conversation_names_one_person() {
    let good = json!({"type": "direct", "member_ids": [ID]});
    check::<CreateConversation>(
        &good,
        |body| body.parse().map(drop),
        &[
            (json!({"type": null}), &[("type", "required")]),
            (json!({"type": "channel"}), &[("type", "invalid_type")]),
            (json!({"member_ids": null}), &[("member_ids", "required")]),
            (json!({"member_ids": []}), &[("member_ids", "invalid_member_count")]),
            (json!({"member_ids": [ID, ID]}), &[("member_ids", "invalid_member_count")]),
            (json!({"member_ids": [ID, "'--"]}), &[("member_ids[1]", "invalid_uuid")]),
            (json!({"member_ids": vec![ID; 1_001]}), &[("member_ids", "too_many_members")]),
        ],
    );
}

#[test]
fn a_group_has_a_title_and_a_name_of_its_creator() {
    let good = json!({"type": "group", "client_id": ID, "title": "Team", "member_ids": [ID]});
    check::<CreateConversation>(
        &good,
        |body| body.parse().map(drop),
        &[
            (json!({"client_id": null}), &[("client_id", "required")]),
            (json!({"client_id": "1"}), &[("client_id", "invalid_uuid")]),
            (json!({"title": null}), &[("title", "required")]),
            (json!({"title": "x".repeat(129)}), &[("title", "invalid_title")]),
            (
                json!({"client_id": "", "title": "\n", "member_ids": [""]}),
                &[
                    ("member_ids[0]", "invalid_uuid"),
                    ("client_id", "invalid_uuid"),
                    ("title", "invalid_title"),
                ],
            ),
        ],
    );
}

#[test]
fn a_draft_names_what_is_wrong_with_it() {
    let good = json!({"client_id": ID, "text": "hi"});
    let mention =
        |start: u32, length: u32| json!({"user_id": ID, "start": start, "length": length});
    check::<MessageDraft>(
        &good,
        |draft| draft.parse().map(drop),
        &[
            (json!({"client_id": null}), &[("client_id", "required")]),
            (json!({"client_id": "{8d6f2c1a}"}), &[("client_id", "invalid_uuid")]),
            (json!({"kind": "poll"}), &[("kind", "invalid_kind")]),
            (json!({"kind": "system"}), &[("kind", "invalid_kind")]),
            (json!({"text": null}), &[("text", "text_required")]),
            (json!({"text": ""}), &[("text", "invalid_text_length")]),
            (json!({"text": "é".repeat(4_001)}), &[("text", "invalid_text_length")]),
            (json!({"text": "a\u{0}"}), &[("text", "invalid_text_character")]),
            (json!({"reply_to": -1}), &[("reply_to", "invalid_seq")]),
            (json!({"reply_to": 0}), &[("reply_to", "invalid_reply_to")]),
            (json!({"sent_at": "yesterday"}), &[("sent_at", "invalid_time")]),
            (json!({"attachment_ids": ["1"]}), &[("attachment_ids", "invalid_uuid")]),
            (json!({"attachment_ids": [ID]}), &[("attachment_ids", "attachments_not_allowed")]),
            (json!({"kind": "image"}), &[("attachment_ids", "attachments_required")]),
            (
                json!({"kind": "file", "attachment_ids": vec![ID; 11]}),
                &[("attachment_ids", "too_many_attachments")],
            ),
            (json!({"mentions": [mention(1, 2)]}), &[("mentions", "invalid_mention")]),
            (json!({"mentions": [mention(u32::MAX, 1)]}), &[("mentions", "invalid_mention")]),
            (json!({"mentions": vec![mention(0, 1); 51]}), &[("mentions", "too_many_mentions")]),
            (
                json!({"client_id": "", "kind": "", "text": "", "sent_at": ""}),
                &[
                    ("client_id", "invalid_uuid"),
                    ("kind", "invalid_kind"),
                    ("text", "invalid_text_length"),
                    ("sent_at", "invalid_time"),
                ],
            ),
        ],
    );
}

#[test]
fn a_job_names_the_message_that_cannot_be_read() {
    let message = json!({"client_id": ID, "text": "hi"});
    let good = json!({
        "job": "persist-messages/1", "conversation_id": ID, "sender_id": ID,
        "accepted_at": "2026-03-01T12:00:00.000Z", "messages": [message],
    });
    check::<PersistMessagesV1>(
        &good,
        |job| job.parse().map(drop),
        &[
            (json!({"accepted_at": "now"}), &[("accepted_at", "invalid_time")]),
            (
                json!({"messages": [message, {"client_id": "x", "text": "hi"}]}),
                &[("messages[1].client_id", "invalid_uuid")],
            ),
        ],
    );
}

#[test]
fn a_job_names_no_connection_that_could_not_be_one() {
    let connection = |id: &str| JobConnection {
        connection_id: id.to_owned(),
        user_id: uuid::Uuid::nil(),
        session_id: uuid::Uuid::nil(),
        since: String::new(),
        seen_at: String::new(),
    };
    assert!(connection("L0SM9cOFvHcCIhw=").id().is_ok());
    for id in ["", "a\nb", &"x".repeat(129)] {
        assert_eq!(connection(id).id().unwrap_err().code, "invalid_connection_id", "{id:?}");
    }
}

#[test]
fn a_send_names_what_is_wrong_with_each_message() {
    let message = json!({"client_id": ID, "text": "hi"});
    let good = json!({"conversation_id": ID, "messages": [message]});
    check::<MessageSend>(
        &good,
        |data| data.parse().map(drop),
        &[
            (json!({"conversation_id": null}), &[("conversation_id", "required")]),
            (json!({"conversation_id": "../.."}), &[("conversation_id", "invalid_uuid")]),
            (json!({"messages": null}), &[("messages", "required")]),
            (json!({"messages": []}), &[("messages", "invalid_message_count")]),
            (json!({"messages": vec![&message; 11]}), &[("messages", "invalid_message_count")]),
            (
                json!({"messages": [{"client_id": ID}, message, {"text": "hi", "kind": "poll"}]}),
                &[
                    ("messages[0].text", "text_required"),
                    ("messages[2].client_id", "required"),
                    ("messages[2].kind", "invalid_kind"),
                ],
            ),
        ],
    );
}

#[test]
fn a_heartbeat_carries_at_most_200_cursors_and_none_is_negative() {
    let cursor = |cursor: i64| json!({"conversation_id": ID, "cursor": cursor});
    check::<HeartbeatData>(
        &json!({"cursors": [cursor(0)]}),
        |data| data.parse().map(drop),
        &[
            (json!({"cursors": vec![cursor(1); 201]}), &[("cursors", "too_many_cursors")]),
            (
                json!({"cursors": [cursor(1), cursor(-1), cursor(i64::MIN)]}),
                &[("cursors[1].cursor", "invalid_seq"), ("cursors[2].cursor", "invalid_seq")],
            ),
        ],
    );
}

#[test]
fn an_edit_has_a_text_and_only_mentions_inside_it() {
    let mention =
        |start: u32, length: u32| json!({"user_id": ID, "start": start, "length": length});
    check::<EditMessage>(
        &json!({"text": "hi", "mentions": [mention(0, 2)]}),
        |body| body.parse().map(drop),
        &[
            (json!({"text": null}), &[("text", "required")]),
            (json!({"text": ""}), &[("text", "invalid_text_length")]),
            (json!({"text": "x".repeat(8_001)}), &[("text", "invalid_text_length")]),
            (json!({"text": "hi\u{0}"}), &[("text", "invalid_text_character")]),
            (json!({"mentions": [mention(1, 2)]}), &[("mentions", "invalid_mention")]),
            (json!({"mentions": [mention(0, 0)]}), &[("mentions", "invalid_mention")]),
            (json!({"mentions": [mention(u32::MAX, 9)]}), &[("mentions", "invalid_mention")]),
            (json!({"mentions": vec![mention(0, 1); 51]}), &[("mentions", "too_many_mentions")]),
        ],
    );
}

#[test]
fn a_receipt_says_how_far_and_never_a_number_below_zero() {
    let marks: &[(Value, &[(&str, &str)])] = &[
        (json!({"delivered": null, "read": null}), &[("delivered", "required")]),
        (json!({"delivered": -1}), &[("delivered", "invalid_seq")]),
        (
            json!({"delivered": i64::MIN, "read": -7}),
            &[("delivered", "invalid_seq"), ("read", "invalid_seq")],
        ),
    ];
    let good = json!({"delivered": 7, "read": i64::MAX});
    check::<Progress>(&good, |body| body.parse().map(drop), marks);
    let good = json!({"conversation_id": ID, "delivered": 7, "read": 6});
    check::<ReceiptData>(&good, |data| data.parse().map(drop), marks);
    check::<ReceiptData>(
        &good,
        |data| data.parse().map(drop),
        &[
            (json!({"conversation_id": null}), &[("conversation_id", "required")]),
            (
                json!({"conversation_id": "*", "read": -1}),
                &[("conversation_id", "invalid_uuid"), ("read", "invalid_seq")],
            ),
        ],
    );
}

#[test]
fn typing_says_where_and_whether() {
    check::<TypingData>(
        &json!({"conversation_id": ID, "active": false}),
        |data| data.parse().map(drop),
        &[
            (json!({"active": null}), &[("active", "required")]),
            (
                json!({"conversation_id": "\u{202e}", "active": null}),
                &[("conversation_id", "invalid_uuid"), ("active", "required")],
            ),
        ],
    );
}

#[test]
fn a_status_is_one_of_four_and_offline_is_none_of_them() {
    let refused: &[(&str, &str)] = &[("status", "invalid_status")];
    check::<PresenceSet>(
        &json!({"status": "invisible"}),
        |data| data.parse().map(drop),
        &[
            (json!({"status": null}), &[("status", "required")]),
            (json!({"status": "offline"}), refused),
            (json!({"status": "Online"}), refused),
            (json!({"status": ""}), refused),
        ],
    );
}

#[test]
fn a_watch_names_1_to_50_people() {
    check::<PresenceWatch>(
        &json!({"user_ids": vec![ID; 50]}),
        |data| data.parse().map(drop),
        &[
            (json!({"user_ids": null}), &[("user_ids", "required")]),
            (json!({"user_ids": []}), &[("user_ids", "invalid_user_count")]),
            (json!({"user_ids": vec![ID; 51]}), &[("user_ids", "invalid_user_count")]),
            (
                json!({"user_ids": [ID, "", "*"]}),
                &[("user_ids[1]", "invalid_uuid"), ("user_ids[2]", "invalid_uuid")],
            ),
        ],
    );
}

#[test]
fn a_reaction_that_is_no_emoji_is_not_taken_from_a_queue() {
    for emoji in ["", "ok", "<b>", "👍👍", "\u{0}"] {
        let wire = Reaction { emoji: emoji.to_owned(), count: 1, user_ids: vec![] };
        let refused = domain::Reaction::try_from(&wire).unwrap_err();
        assert_eq!(refused.code, "invalid_emoji", "{emoji:?}");
    }
}
