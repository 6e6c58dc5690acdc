//! What somebody may take along: everything of their own, and nothing of others.

use acceptance::people::{draft, people};
use harness::{Client, PASSWORD, System};
use protocol::body::ExportPart;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{
    ask, asked, befriend, block, refused_fields, until_marks, until_stored, update_me,
};

const SECTIONS: [&str; 9] = [
    "profile",
    "sessions",
    "contacts",
    "blocks",
    "conversations",
    "messages",
    "receipts",
    "reactions",
    "invites",
];

/// All parts, each as the file that a browser would save.
async fn exported(client: &Client) -> Vec<ExportPart> {
    let (mut parts, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = client.get(&format!("/v1/users/me/export{cursor}")).await.unwrap();
        let part: ExportPart = answer.expect(200).unwrap();
        let name = format!("attachment; filename=\"confab-export-{}.json\"", part.section);
        assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
        assert!(part.items.len() <= 200, "{} has {} items", part.section, part.items.len());
        let next = part.next_cursor.clone();
        parts.push(part);
        let Some(next) = next else { return parts };
        assert!(parts.len() < 50, "this has no end");
        cursor = format!("?cursor={next}");
    }
}

/// One field of everything in a section.
fn fields<'a>(parts: &'a [ExportPart], section: &str, field: &str) -> Vec<&'a str> {
    let items = parts.iter().filter(|part| part.section == section).flat_map(|part| &part.items);
    items.map(|item| item[field].as_deref().unwrap_or("null")).collect()
}

/// A life that leaves something in every section. Answers the secret of the second factor, and
/// where something was said: to Bob, and in a group that was left.
async fn live(ada: &Client, bob: &Client, cleo: &Client, dan: &Client) -> (String, Uuid, Uuid) {
    let profile = json!({ "display_name": "Ada L.", "bio": "Poetical science" });
    update_me(ada, &profile).await.expect_status(200).unwrap();
    befriend(ada, bob).await;
    asked(cleo, ada.id()).await;
    block(ada, Method::PUT, dan.id()).await.expect_status(204).unwrap();
    let secret = ada.post("/v1/auth/two-factor", &json!({ "password": PASSWORD })).await.unwrap();
    let secret: protocol::body::TwoFactorEnrolment = secret.expect(201).unwrap();
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    let group = bob.open_group("Left soon", &[ada.id(), cleo.id()]).await.unwrap().id;
    for (client, conversation, text) in [
        (ada, direct, "mine, \"quoted\" \u{1f600}"),
        (bob, direct, "his alone"),
        (ada, group, "mine in a group"),
    ] {
        client.send(conversation, &draft(text)).await.unwrap();
    }
    until_stored(ada, direct, 2).await;
    until_stored(ada, group, 2).await;
    let receipts = format!("/v1/conversations/{direct}/receipts");
    ada.post(&receipts, &json!({ "read": 2 })).await.unwrap().expect_status(204).unwrap();
    until_marks(ada, direct, ada.id(), (2, 2)).await;
    let leave = format!("/v1/conversations/{group}/members/me");
    ask(ada, Method::DELETE, &leave).await.expect_status(204).unwrap();
    (secret.secret, direct, group)
}

#[tokio::test]
async fn an_export_holds_everything_of_oneself_and_nothing_that_others_said() {
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    let (secret, direct, group) = live(&ada, &bob, &cleo, &dan).await;
    let parts = exported(&ada).await;
    let sections: Vec<_> = parts.iter().map(|part| part.section.as_str()).collect();
    assert_eq!(sections, SECTIONS);
    let one = |section, field| fields(&parts, section, field);
    assert_eq!(one("profile", "id"), [ada.id().to_string()]);
    assert_eq!(one("profile", "email"), [&ada.account().email]);
    assert_eq!(one("profile", "bio"), ["Poetical science"]);
    assert_eq!(one("sessions", "id"), [ada.session_id.to_string()]);
    let mut contacts: Vec<_> =
        one("contacts", "user_id").into_iter().zip(one("contacts", "status")).collect();
    contacts.sort_unstable_by_key(|(_, status)| *status);
    let (friend, asker) = (bob.id().to_string(), cleo.id().to_string());
    assert_eq!(contacts, [(friend.as_str(), "contacts"), (asker.as_str(), "requested_by_them")]);
    assert_eq!(one("blocks", "user_id"), [dan.id().to_string()]);
    let mut conversations = one("conversations", "conversation_id");
    conversations.sort_unstable();
    let mut expected = [direct, group].map(|id| id.to_string());
    expected.sort_unstable();
    assert_eq!(conversations, expected);
    // Also what was said where one is no member any more.
    let mut said = one("messages", "text");
    said.sort_unstable();
    assert_eq!(said, ["mine in a group", "mine, \"quoted\" \u{1f600}"]);
    let place = one("receipts", "conversation_id").iter().position(|id| *id == direct.to_string());
    assert_eq!(one("receipts", "read")[place.unwrap()], "2");

    let whole = serde_json::to_string(&parts).unwrap();
    let others = [&bob, &cleo, &dan].map(|other| other.account().email.clone());
    for private in others.iter().map(String::as_str).chain([
        "his alone",
        "argon2",
        PASSWORD,
        &secret,
        &ada.refresh_token,
    ]) {
        assert!(!whole.contains(private), "the export holds {private}");
    }
}

#[tokio::test]
async fn a_long_history_comes_in_parts_each_message_once() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    // Every other one is his; a long text now and then, so that not only numbers end a part.
    let fill = "WITH numbers AS (SELECT generate_series(1, 900) AS n), raised AS (
            UPDATE conversations SET last_seq = 900 WHERE id = $1)
        INSERT INTO messages (conversation_id, seq, rev, client_id, sender_id, kind, text,
            created_at)
        SELECT $1, n, n, gen_random_uuid(), CASE WHEN n % 2 = 0 THEN $2::uuid ELSE $3::uuid END,
            'text', CASE WHEN n % 10 = 0 THEN repeat('x', 8000) ELSE 'text ' || n END, now()
        FROM numbers";
    database.execute(fill, &[&direct, &ada.id(), &bob.id()]).await.unwrap();
    let parts = exported(&ada).await;
    assert!(parts.len() > SECTIONS.len() + 1, "{} parts", parts.len());
    let mut sections: Vec<_> = parts.iter().map(|part| part.section.as_str()).collect();
    sections.dedup();
    assert_eq!(sections, SECTIONS);
    let mut seqs: Vec<i64> =
        fields(&parts, "messages", "seq").iter().map(|seq| seq.parse().unwrap()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=450).map(|n| n * 2).collect::<Vec<i64>>());
}

#[tokio::test]
async fn the_place_in_an_export_is_ones_own_and_hostile_ones_are_refused() {
    let [ada, bob] = people(["ada", "bob"]).await;
    for cursor in ["x", "AAAA", "CQ", "%00", "%27%20OR%201=1", "a.b", &"A".repeat(4_000)] {
        let answer = ada.get(&format!("/v1/users/me/export?cursor={cursor}")).await.unwrap();
        let refused = [("cursor".to_owned(), "invalid_cursor".to_owned())];
        assert_eq!(refused_fields(&answer), refused, "{cursor:.40}");
    }
    // Somebody else's place leads to one's own things.
    let first: ExportPart = ada.get("/v1/users/me/export").await.unwrap().expect(200).unwrap();
    assert_eq!(first.section, "profile");
    let path = format!("/v1/users/me/export?cursor={}", first.next_cursor.unwrap());
    let sessions: ExportPart = bob.get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!(fields(&[sessions], "sessions", "id"), [bob.session_id.to_string()]);
}
