//! `examples/*.json` and the types say the same.
#![cfg(test)]

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::{body, frame, job, value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The client's frames. A new one is added here, and then needs an example.
const CLIENT_FRAMES: [&str; 6] =
    ["message.send", "heartbeat", "receipt", "typing", "presence.set", "presence.watch"];

/// Types that stand only inside the documents of others.
const PARTS: [&str; 30] = [
    "Bye",
    "ContactChanged",
    "Conversation",
    "ConversationChanged",
    "ConversationEntry",
    "Cursor",
    "ErrorData",
    "ErrorItem",
    "HeartbeatOk",
    "Invite",
    "Jwk",
    "JobConnection",
    "JobRecipient",
    "List",
    "Member",
    "MemberMarks",
    "Mention",
    "MessageEvent",
    "MessageRejected",
    "Messages",
    "My",
    "Nudge",
    "Presence",
    "PresenceChanged",
    "ProblemField",
    "Reaction",
    "ReceiptUpdated",
    "TracedMember",
    "TracedPushes",
    "Typing",
];

/// Bodies that a client writes, by their examples.
const REQUESTS: [&str; 18] = [
    "body-register",
    "body-edit-message",
    "body-progress",
    "body-update-me",
    "body-verify-email",
    "body-forgot-password",
    "body-reset-password",
    "body-change-password",
    "body-prove-password",
    "body-confirm-two-factor",
    "body-ask-contact",
    "body-edit-conversation",
    "body-edit-conversation-emptied",
    "body-add-members",
    "body-change-role",
    "body-preferences",
    "body-preferences-unmuted",
    "body-create-invite",
];

/// How one example is read and written again.
struct Shape {
    example: &'static str,
    type_name: &'static str,
    rewrite: fn(Value) -> Result<Value, serde_json::Error>,
}

fn shape<T: Serialize + DeserializeOwned>(example: &'static str) -> Shape {
    let type_name = type_name::<T>();
    let rewrite = |document| serde_json::to_value(serde_json::from_value::<T>(document)?);
    Shape { example, type_name, rewrite }
}

/// A frame of a client, whose data is read by its own type.
fn client<T: Serialize + DeserializeOwned>(example: &'static str) -> Shape {
    let rewrite = |document| {
        let mut frame = serde_json::from_value::<frame::ClientFrame>(document)?;
        frame.data = serde_json::to_value(serde_json::from_value::<T>(frame.data)?)?;
        serde_json::to_value(frame)
    };
    Shape { example, type_name: type_name::<T>(), rewrite }
}

fn shapes() -> Vec<Shape> {
    let kinds = [bodies(), bodies_of_people(), bodies_of_groups(), frames(), jobs()];
    kinds.into_iter().flatten().collect()
}

fn bodies() -> Vec<Shape> {
    vec![
        shape::<body::Register>("body-register"),
        shape::<body::Login>("body-login"),
        shape::<body::Refresh>("body-refresh"),
        shape::<body::SignedIn>("body-signed-in"),
        shape::<body::Me>("body-me"),
        shape::<body::Profile>("body-profile"),
        shape::<body::UpdateMe>("body-update-me"),
        shape::<body::Jwks>("body-jwks"),
        shape::<body::SocketTicket>("body-socket-ticket"),
        shape::<body::CreateConversation>("body-create-direct"),
        shape::<body::CreateConversation>("body-create-group"),
        shape::<value::Conversation>("body-conversation"),
        shape::<body::List<body::ConversationEntry>>("body-conversation-list"),
        shape::<body::List<body::Member>>("body-member-list"),
        shape::<value::MessageDraft>("body-message-draft"),
        shape::<body::MessageAccepted>("body-message-accepted"),
        shape::<body::MessageList>("body-message-list"),
        shape::<body::ChangeList>("body-change-list"),
        shape::<body::EditMessage>("body-edit-message"),
        shape::<value::Message>("body-message"),
        shape::<body::List<uuid::Uuid>>("body-reactor-list"),
        shape::<body::MessageTrace>("body-message-trace"),
        shape::<body::MessageTrace>("body-message-trace-unseen"),
        shape::<value::Progress>("body-progress"),
        shape::<body::ReceiptList>("body-receipt-list"),
        shape::<body::PresenceList>("body-presence-list"),
        shape::<body::Sync>("body-sync"),
        shape::<body::HealthReport>("body-health-report"),
        shape::<body::Problem>("body-problem-invalid"),
        shape::<body::Problem>("body-problem-too-many"),
    ]
}

fn bodies_of_people() -> Vec<Shape> {
    vec![
        shape::<body::Login>("body-login-two-factor"),
        shape::<body::UpdateMe>("body-update-me-picture-gone"),
        shape::<body::VerifyEmail>("body-verify-email"),
        shape::<body::ForgotPassword>("body-forgot-password"),
        shape::<body::ResetPassword>("body-reset-password"),
        shape::<body::ChangePassword>("body-change-password"),
        shape::<body::ProvePassword>("body-prove-password"),
        shape::<body::TwoFactorEnrolment>("body-two-factor-enrolment"),
        shape::<body::ConfirmTwoFactor>("body-confirm-two-factor"),
        shape::<body::RecoveryCodes>("body-recovery-codes"),
        shape::<body::List<body::Session>>("body-session-list"),
        shape::<body::AskContact>("body-ask-contact"),
        shape::<body::AskedContact>("body-asked-contact"),
        shape::<value::ContactRequest>("body-contact-request"),
        shape::<body::List<value::ContactRequest>>("body-contact-request-list"),
        shape::<body::List<body::Profile>>("body-profile-list"),
        shape::<body::ExportPart>("body-export-part"),
        shape::<body::Problem>("body-problem-token"),
    ]
}

fn bodies_of_groups() -> Vec<Shape> {
    vec![
        shape::<value::Conversation>("body-conversation-described"),
        shape::<body::EditConversation>("body-edit-conversation"),
        shape::<body::EditConversation>("body-edit-conversation-emptied"),
        shape::<body::AddMembers>("body-add-members"),
        shape::<body::ChangeRole>("body-change-role"),
        shape::<body::ChangePreferences>("body-preferences"),
        shape::<body::ChangePreferences>("body-preferences-unmuted"),
        shape::<body::My>("body-my"),
        shape::<body::CreateInvite>("body-create-invite"),
        shape::<body::CreatedInvite>("body-created-invite"),
        shape::<body::InviteList>("body-invite-list"),
        shape::<body::InvitePreview>("body-invite-preview"),
    ]
}

fn frames() -> Vec<Shape> {
    vec![
        client::<frame::MessageSend>("client-message-send"),
        client::<frame::HeartbeatData>("client-heartbeat"),
        client::<frame::ReceiptData>("client-receipt"),
        client::<frame::TypingData>("client-typing"),
        client::<frame::PresenceSet>("client-presence-set"),
        client::<frame::PresenceWatch>("client-presence-watch"),
        shape::<frame::ServerFrame>("server-message-accepted"),
        shape::<frame::ServerFrame>("server-message-new"),
        shape::<frame::ServerFrame>("server-message-new-system"),
        shape::<frame::ServerFrame>("server-message-changed"),
        shape::<frame::ServerFrame>("server-message-changed-unseen"),
        shape::<frame::ServerFrame>("server-message-deleted"),
        shape::<frame::ServerFrame>("server-message-rejected"),
        shape::<frame::ServerFrame>("server-conversation-changed"),
        shape::<frame::ServerFrame>("server-conversation-removed"),
        shape::<frame::ServerFrame>("server-contact-requested"),
        shape::<frame::ServerFrame>("server-contact-removed"),
        shape::<frame::ServerFrame>("server-receipt-updated"),
        shape::<frame::ServerFrame>("server-typing"),
        shape::<frame::ServerFrame>("server-presence-changed"),
        shape::<frame::ServerFrame>("server-presence-snapshot"),
        shape::<frame::ServerFrame>("server-nudge"),
        shape::<frame::ServerFrame>("server-bye"),
        shape::<frame::ServerFrame>("server-bye-old"),
        shape::<frame::ServerFrame>("server-heartbeat-ok"),
        shape::<frame::ServerFrame>("server-error"),
        shape::<frame::ServerFrame>("server-error-items"),
    ]
}

fn jobs() -> Vec<Shape> {
    vec![
        shape::<job::PersistMessagesV1>("job-persist-messages"),
        shape::<job::FanOutEventsV1>("job-fan-out-to-members"),
        shape::<job::FanOutEventsV1>("job-fan-out-to-connections"),
        shape::<job::FanOutEventsV1>("job-fan-out-removal"),
        shape::<job::RecordReceiptV1>("job-record-receipt"),
        shape::<job::RecordPushV1>("job-record-push"),
        shape::<job::AnnouncePresenceV1>("job-announce-presence"),
        shape::<job::SendMailV1>("job-send-mail-verify"),
        shape::<job::SendMailV1>("job-send-mail-reset"),
        shape::<job::SendMailV1>("job-send-mail-sign-in"),
        shape::<job::EraseAccountV1>("job-erase-account"),
    ]
}

/// Every example by its name without `.json`.
fn examples() -> BTreeMap<String, Value> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let document = serde_json::from_str(&std::fs::read_to_string(&path).unwrap());
        found.insert(name.clone(), document.unwrap_or_else(|error| panic!("{name}: {error}")));
    }
    found
}

/// The `type` of every example whose name begins like this.
fn frame_types(prefix: &str) -> BTreeSet<String> {
    let of_prefix = examples().into_iter().filter(|(name, _)| name.starts_with(prefix));
    of_prefix.map(|(_, document)| document["type"].as_str().unwrap().to_owned()).collect()
}

/// What `Said` can be, as serde itself lists it when it is given something else.
fn said_types() -> BTreeSet<String> {
    let unknown = serde_json::from_value::<frame::Said>(json!({"type": "?", "data": {}}));
    let error = unknown.unwrap_err().to_string();
    let (_, expected) = error.split_once("expected one of ").unwrap();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The structs that a source file declares for the wire.
fn wire_structs(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_wire = false;
    for line in source.lines() {
        if line.starts_with("#[derive(") {
            is_wire = line.contains("Deserialize");
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            names.extend(is_wire.then(|| name.to_owned()));
            is_wire = false;
        }
    }
    names
}

#[test]
fn every_example_is_read_and_written_unchanged() {
    let examples = examples();
    for Shape { example, type_name, rewrite } in shapes() {
        let document = examples.get(example).unwrap_or_else(|| panic!("no {example}.json"));
        let rewritten = rewrite(document.clone());
        let rewritten = rewritten.unwrap_or_else(|error| panic!("{example} {type_name}: {error}"));
        assert_eq!(&rewritten, document, "{example}");
    }
}

#[test]
fn every_example_is_one_of_a_known_shape() {
    let known: BTreeSet<_> = shapes().iter().map(|shape| shape.example.to_owned()).collect();
    let found: BTreeSet<_> = examples().into_keys().collect();
    assert_eq!(known, found);
}

#[test]
fn every_frame_of_the_server_has_an_example() {
    let said = said_types();
    assert!(said.contains("message.new"), "serde no longer lists the variants: {said:?}");
    assert_eq!(said, frame_types("server-"));
}

#[test]
fn every_frame_of_a_client_has_an_example() {
    let expected: BTreeSet<_> = CLIENT_FRAMES.map(str::to_owned).into();
    assert_eq!(expected, frame_types("client-"));
}

#[test]
fn every_body_frame_and_job_has_an_example_or_is_a_part_of_one() {
    let sources = [
        include_str!("../src/body/mod.rs"),
        include_str!("../src/body/account.rs"),
        include_str!("../src/body/conversation.rs"),
        include_str!("../src/body/credential.rs"),
        include_str!("../src/body/group.rs"),
        include_str!("../src/body/message.rs"),
        include_str!("../src/body/people.rs"),
        include_str!("../src/frame.rs"),
        include_str!("../src/job.rs"),
        include_str!("../src/value.rs"),
    ];
    let shown = shapes();
    // `a::List<b::Member>` shows `List` and `Member`.
    let mut shown: BTreeSet<_> =
        shown.iter().flat_map(|shape| shape.type_name.split([':', '<', '>'])).collect();
    shown.extend(PARTS);
    // `Me` and `UpdateMe` hold settings; `ClientFrame` is the envelope; `Message` is in many.
    shown.extend(["Settings", "UpdateSettings", "ClientFrame", "Message"]);
    let declared: Vec<_> = sources.into_iter().flat_map(wire_structs).collect();
    assert!(declared.len() > 60, "the sources are no longer read: {declared:?}");
    for name in declared {
        assert!(shown.contains(name.as_str()), "{name} has no example");
    }
}

#[test]
fn what_a_request_adds_is_ignored() {
    for (name, mut document) in examples() {
        let is_request = name.starts_with("client-") || REQUESTS.contains(&name.as_str());
        if !is_request {
            continue;
        }
        document["surprise"] = json!({"nested": [1, 2, 3]});
        let shape = shapes().into_iter().find(|shape| shape.example == name).unwrap();
        let mut rewritten = (shape.rewrite)(document.clone()).unwrap();
        rewritten["surprise"] = document["surprise"].clone();
        assert_eq!(rewritten, document, "{name}");
    }
}

#[test]
fn a_job_of_another_version_is_refused() {
    for (name, mut document) in examples().into_iter().filter(|(name, _)| name.starts_with("job-"))
    {
        let shape = shapes().into_iter().find(|shape| shape.example == name).unwrap();
        let mine = document["job"].as_str().unwrap().to_owned();
        let next = mine.replace("/1", "/2");
        for other in [&*next, "fan-out-events/0", "", "RECORD-PUSH/1", "record-receipt"] {
            document["job"] = json!(other);
            assert!((shape.rewrite)(document.clone()).is_err(), "{name}: {other:?}");
        }
    }
}

#[test]
fn a_job_of_the_release_before_is_read_though_it_has_no_trace() {
    let ids = [("job-persist-messages", "trace_id"), ("job-fan-out-to-members", "trace_ids")];
    for (name, field) in ids {
        let mut document = examples().remove(name).unwrap();
        document.as_object_mut().unwrap().remove(field);
        let shape = shapes().into_iter().find(|shape| shape.example == name).unwrap();
        assert!((shape.rewrite)(document).is_ok(), "{name}");
    }
}
