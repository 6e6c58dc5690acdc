//! `docs/openapi.yaml` and `docs/asyncapi.yaml` describe the examples, and so the types.
#![cfg(test)]

use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The schema in `docs/openapi.yaml` that describes each body.
const BODIES: [(&str, &str); 60] = [
    ("body-register", "Register"),
    ("body-login", "Login"),
    ("body-refresh", "Refresh"),
    ("body-signed-in", "SignedIn"),
    ("body-me", "Me"),
    ("body-profile", "Profile"),
    ("body-update-me", "UpdateMe"),
    ("body-jwks", "Jwks"),
    ("body-socket-ticket", "SocketTicket"),
    ("body-create-direct", "CreateConversation"),
    ("body-create-group", "CreateConversation"),
    ("body-conversation", "Conversation"),
    ("body-conversation-list", "ConversationList"),
    ("body-member-list", "MemberList"),
    ("body-message-draft", "MessageDraft"),
    ("body-message-accepted", "MessageAccepted"),
    ("body-message-list", "MessageList"),
    ("body-change-list", "ChangeList"),
    ("body-edit-message", "EditMessage"),
    ("body-message", "Message"),
    ("body-reactor-list", "ReactorList"),
    ("body-message-trace", "MessageTrace"),
    ("body-message-trace-unseen", "MessageTrace"),
    ("body-progress", "Progress"),
    ("body-receipt-list", "ReceiptList"),
    ("body-presence-list", "PresenceList"),
    ("body-sync", "Sync"),
    ("body-health-report", "HealthReport"),
    ("body-problem-invalid", "Problem"),
    ("body-problem-too-many", "Problem"),
    ("body-login-two-factor", "Login"),
    ("body-update-me-picture-gone", "UpdateMe"),
    ("body-verify-email", "VerifyEmail"),
    ("body-forgot-password", "ForgotPassword"),
    ("body-reset-password", "ResetPassword"),
    ("body-change-password", "ChangePassword"),
    ("body-prove-password", "ProvePassword"),
    ("body-two-factor-enrolment", "TwoFactorEnrolment"),
    ("body-confirm-two-factor", "ConfirmTwoFactor"),
    ("body-recovery-codes", "RecoveryCodes"),
    ("body-session-list", "SessionList"),
    ("body-ask-contact", "AskContact"),
    ("body-asked-contact", "AskedContact"),
    ("body-contact-request", "ContactRequest"),
    ("body-contact-request-list", "ContactRequestList"),
    ("body-profile-list", "ProfileList"),
    ("body-export-part", "ExportPart"),
    ("body-problem-token", "Problem"),
    ("body-conversation-described", "Conversation"),
    ("body-edit-conversation", "EditConversation"),
    ("body-edit-conversation-emptied", "EditConversation"),
    ("body-add-members", "AddMembers"),
    ("body-change-role", "ChangeRole"),
    ("body-preferences", "ChangePreferences"),
    ("body-preferences-unmuted", "ChangePreferences"),
    ("body-my", "My"),
    ("body-create-invite", "CreateInvite"),
    ("body-created-invite", "CreatedInvite"),
    ("body-invite-list", "InviteList"),
    ("body-invite-preview", "InvitePreview"),
];

/// What clients write may have more fields; what the server writes is described to the last one.
const REQUESTS: [&str; 20] = [
    "Register",
    "Login",
    "Refresh",
    "UpdateMe",
    "CreateConversation",
    "MessageDraft",
    "EditMessage",
    "Progress",
    "VerifyEmail",
    "ForgotPassword",
    "ResetPassword",
    "ChangePassword",
    "ProvePassword",
    "ConfirmTwoFactor",
    "AskContact",
    "EditConversation",
    "AddMembers",
    "ChangeRole",
    "ChangePreferences",
    "CreateInvite",
];

fn read(path: &str) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(here.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json_of(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(json_of).collect(),
        Yaml::Mapping(entries) => {
            let pair = |(key, value): (&Yaml<'_>, &Yaml<'_>)| {
                let key = key.as_str().map_or_else(|| json_of(key).to_string(), str::to_owned);
                (key, json_of(value))
            };
            entries.iter().map(pair).collect::<Map<_, _>>().into()
        }
        other => panic!("the documents hold nothing like {other:?}"),
    }
}

fn yaml(text: &str) -> Value {
    json_of(&Yaml::load_from_str(text).unwrap()[0])
}

/// Both documents side by side in one schema, their references bent to where they stand now.
fn both() -> Value {
    let openapi = read("../../docs/openapi.yaml").replace("\"#/", "\"#/openapi/");
    let asyncapi = read("../../docs/asyncapi.yaml")
        .replace("\"#/", "\"#/asyncapi/")
        .replace("./openapi.yaml#/", "#/openapi/");
    json!({ "openapi": yaml(&openapi), "asyncapi": yaml(&asyncapi) })
}

/// What the schema at `pointer` has against the document.
fn objections(both: &Value, pointer: &str, document: &Value) -> Vec<String> {
    let mut schema = both.clone();
    schema["$ref"] = json!(format!("#{pointer}"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(document).map(|error| error.to_string()).collect()
}

fn example(name: &str) -> Value {
    serde_json::from_str(&read(&format!("examples/{name}.json"))).unwrap()
}

/// The names of all examples that begin like this.
fn examples(prefix: &str) -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.filter_map(|name| Some(name.to_str()?.strip_suffix(".json")?.to_owned()));
    names.filter(|name| name.starts_with(prefix)).collect()
}

#[test]
fn every_body_is_as_openapi_describes_it() {
    let both = both();
    let mut described: Vec<_> = BODIES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut found = examples("body-");
    described.sort();
    found.sort();
    assert_eq!(described, found);
    for (name, schema) in BODIES {
        let pointer = format!("/openapi/components/schemas/{schema}");
        let objections = objections(&both, &pointer, &example(name));
        assert!(objections.is_empty(), "{name} is no {schema}: {objections:?}");
    }
}

#[test]
fn openapi_leaves_out_no_field_of_an_answer() {
    let both = both();
    for (name, schema) in BODIES.iter().filter(|(_, schema)| !REQUESTS.contains(schema)) {
        let mut document = example(name);
        document["surprise"] = json!(1);
        let pointer = format!("/openapi/components/schemas/{schema}");
        assert!(!objections(&both, &pointer, &document).is_empty(), "{schema} is not exact");
    }
}

#[test]
fn every_frame_is_as_asyncapi_describes_it() {
    let both = both();
    for name in examples("client-").into_iter().chain(examples("server-")) {
        let document = example(&name);
        let frame_type = document["type"].as_str().unwrap();
        let pointer = format!("/asyncapi/components/messages/{frame_type}/payload");
        let objections = objections(&both, &pointer, &document);
        assert!(objections.is_empty(), "{name}: {objections:?}");
    }
}

#[test]
fn asyncapi_leaves_out_no_field_of_a_frame_of_the_server() {
    let both = both();
    for name in examples("server-") {
        let mut document = example(&name);
        let frame_type = document["type"].as_str().unwrap();
        let pointer = format!("/asyncapi/components/messages/{frame_type}/payload");
        document["data"]["surprise"] = json!(1);
        assert!(!objections(&both, &pointer, &document).is_empty(), "{name} is not exact");
    }
}

/// One wrong value each: (example, where, value).
fn hostile() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("client-receipt", "/data/delivered", json!(-1)),
        ("client-receipt", "/data/read", json!("7")),
        ("client-typing", "/data/active", json!("yes")),
        ("client-presence-set", "/data/status", json!("offline")),
        ("client-presence-watch", "/data/user_ids", json!([])),
        ("client-presence-watch", "/data/user_ids", json!(vec!["x"; 51])),
        ("server-presence-changed", "/data/users/0/status", json!("invisible")),
        ("server-typing", "/data/expires_in_ms", json!(-1)),
        ("server-receipt-updated", "/data/marks/0/read", json!(null)),
        ("server-message-changed", "/data/messages/0/reactions/0/count", json!(0)),
        ("server-message-changed", "/data/messages/0/reactions/0/user_ids", json!(vec!["x"; 21])),
        ("server-bye-old", "/data/reason", json!("because")),
        ("server-conversation-removed", "/data/removed", json!(false)),
        ("server-conversation-changed", "/data/conversation/avatar_url", json!("http://x.example")),
        ("server-contact-requested", "/data/status", json!("blocked")),
        ("server-contact-requested", "/data/request/id", json!(null)),
        ("server-message-new-system", "/data/messages/0/event/type", json!("renamed")),
        ("server-message-new-system", "/data/messages/2/event/role", json!("king")),
    ]
}

#[test]
fn asyncapi_refuses_what_no_frame_may_say() {
    let both = both();
    for (name, place, value) in hostile() {
        let mut document = example(name);
        *document.pointer_mut(place).unwrap_or_else(|| panic!("{name} has no {place}")) = value;
        let frame_type = document["type"].as_str().unwrap();
        let pointer = format!("/asyncapi/components/messages/{frame_type}/payload");
        assert!(!objections(&both, &pointer, &document).is_empty(), "{name}: {place}");
    }
}

/// One wrong value each that no body may have: (example, schema, where, value).
fn hostile_bodies() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    vec![
        ("body-reset-password", "ResetPassword", "/new_password", json!("short")),
        ("body-verify-email", "VerifyEmail", "/token", json!("")),
        ("body-forgot-password", "ForgotPassword", "/email", json!(null)),
        ("body-update-me-picture-gone", "UpdateMe", "/avatar_url", json!("javascript:alert(1)")),
        ("body-edit-conversation", "EditConversation", "/avatar_url", json!("http://x.example")),
        ("body-edit-conversation", "EditConversation", "/description", json!("")),
        ("body-edit-conversation", "EditConversation", "/shares_history", json!("yes")),
        ("body-add-members", "AddMembers", "/user_ids", json!([])),
        ("body-change-role", "ChangeRole", "/role", json!("king")),
        ("body-preferences", "ChangePreferences", "/muted_until", json!(7)),
        ("body-create-invite", "CreateInvite", "/max_uses", json!(0)),
        ("body-create-invite", "CreateInvite", "/expires_in_seconds", json!(59)),
        ("body-ask-contact", "AskContact", "/user_id", json!(null)),
        ("body-asked-contact", "AskedContact", "/status", json!("declined")),
        ("body-export-part", "ExportPart", "/section", json!("passwords")),
        ("body-session-list", "SessionList", "/items/0/last_used_at", json!("yesterday")),
    ]
}

#[test]
fn openapi_refuses_what_no_body_may_say() {
    let both = both();
    for (name, schema, place, value) in hostile_bodies() {
        let mut document = example(name);
        *document.pointer_mut(place).unwrap_or_else(|| panic!("{name} has no {place}")) = value;
        let pointer = format!("/openapi/components/schemas/{schema}");
        assert!(!objections(&both, &pointer, &document).is_empty(), "{name}: {place}");
    }
}
