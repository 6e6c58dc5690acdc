//! What a person says of themselves, and how much of it others see.

use harness::unique_id;
use protocol::body::{Me, Profile};
use serde_json::{Value, json};

use crate::calls::{ask_with, befriend, keys, refused_fields, update_me};
use acceptance::people::people;
use reqwest::Method;

const PUBLIC: [&str; 6] = ["avatar_url", "bio", "created_at", "display_name", "id", "username"];

#[tokio::test]
async fn a_person_changes_their_profile_and_others_see_the_public_part_alone() {
    let [ada, bob] = people(["ada", "bob"]).await;
    befriend(&ada, &bob).await;
    let group = ada.open_group("Who is here?", &[bob.id()]).await.unwrap().id;
    let change = json!({
        "display_name": "  Ada \u{1f469}\u{200d}\u{1f4bb} Lovelace ",
        "bio": "Poetical science,\nand 'quotes' \" too",
        "avatar_url": "https://pictures.example.org/ada.png?size=64#face",
        "settings": { "share_receipts": false, "share_last_seen": false },
    });
    let changed: Me = update_me(&ada, &change).await.expect(200).unwrap();
    assert_eq!(changed.display_name, "Ada \u{1f469}\u{200d}\u{1f4bb} Lovelace");
    assert_eq!(changed.bio, change["bio"].as_str().unwrap());
    assert_eq!(changed.avatar_url.as_deref(), change["avatar_url"].as_str());
    assert!(!changed.settings.share_receipts && !changed.settings.share_last_seen);
    let me: Me = ada.get("/v1/users/me").await.unwrap().expect(200).unwrap();
    assert_eq!(me, changed);

    let seen: Profile = bob.profile_of(ada.id()).await.unwrap();
    assert_eq!(seen.display_name, changed.display_name);
    assert_eq!((seen.bio, seen.avatar_url), (changed.bio, changed.avatar_url));
    // Wherever people are shown, they are shown so.
    let search = format!("/v1/users?query={}", ada.account().username);
    for (path, item) in [
        (format!("/v1/users/{}", ada.id()), None),
        (search, Some("items")),
        ("/v1/contacts".to_owned(), Some("items")),
    ] {
        let answer = bob.get(&path).await.unwrap();
        let body: Value = answer.expect(200).unwrap();
        let shown = item.map_or(&body, |items| &body[items][0]);
        assert_eq!(keys(shown), PUBLIC, "{path}");
        assert!(!answer.text().contains('@'), "{path} shows an address");
    }
    let members = bob.get(&format!("/v1/conversations/{group}/members")).await.unwrap();
    for private in ["@", "email", "settings", "share_", "password"] {
        assert!(!members.text().contains(private), "the members show {private}");
    }
}

#[tokio::test]
async fn what_a_change_does_not_name_stays_as_it_is() {
    let [ada] = people(["ada"]).await;
    let all = json!({
        "display_name": "Ada", "bio": "old", "avatar_url": "https://example.org/a.png",
        "settings": { "share_receipts": false, "share_last_seen": true },
    });
    let before: Me = update_me(&ada, &all).await.expect(200).unwrap();
    // Nor does anybody become somebody else, or get what they have not proved.
    let other = unique_id();
    let hostile = json!({
        "id": other, "username": "root", "email": "root@example.org", "email_verified": true,
        "password_hash": "!", "erased_at": "2026-01-01T00:00:00Z", "is_admin": true,
    });
    for nothing in [json!({}), json!({ "display_name": null, "bio": null }), hostile] {
        let after: Me = update_me(&ada, &nothing).await.expect(200).unwrap();
        assert_eq!(after, before, "{nothing}");
    }
    let removed: Me = update_me(&ada, &json!({ "avatar_url": null })).await.expect(200).unwrap();
    assert_eq!(removed.avatar_url, None);
    let emptied: Me = update_me(&ada, &json!({ "bio": "" })).await.expect(200).unwrap();
    assert_eq!((emptied.bio.as_str(), emptied.display_name.as_str()), ("", "Ada"));
    assert_eq!(emptied.settings, before.settings);
}

#[tokio::test]
async fn hostile_profiles_are_refused_and_every_refused_field_is_named() {
    let [ada] = people(["ada"]).await;
    let before: Me = ada.get("/v1/users/me").await.unwrap().expect(200).unwrap();
    let one = |name: &str, code: &str| vec![(name.to_owned(), code.to_owned())];
    let long = |count| "ä".repeat(count);
    let picture = |path: usize| format!("https://example.org/{}", "a".repeat(path));
    let plain = ["", "  ", "two\nlines", "a\u{0}b", "a\u{7f}b", "a\u{2028}b", &long(65)];
    for name in plain.into_iter().chain(["\u{200b}", "\u{2800}\u{ad}", "Ada\u{202e}adA"]) {
        let answer = update_me(&ada, &json!({ "display_name": name })).await;
        assert_eq!(refused_fields(&answer), one("display_name", "invalid_display_name"));
    }
    for bio in ["a\u{0}b", &long(513)] {
        let answer = update_me(&ada, &json!({ "bio": bio })).await;
        assert_eq!(refused_fields(&answer), one("bio", "invalid_bio"));
    }
    for url in [
        "",
        "http://example.org/a.png",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "//example.org/a.png",
        "https://",
        "https:///a.png",
        "https://someone@example.org/",
        "https://example.org/a b",
        "https://example.org/\"><script>",
        "https://example.org\\@evil.example",
        &picture(2_048),
    ] {
        let answer = update_me(&ada, &json!({ "avatar_url": url })).await;
        assert_eq!(refused_fields(&answer), one("avatar_url", "invalid_avatar_url"), "{url:.60}");
    }
    let both = json!({ "display_name": "", "bio": long(513), "avatar_url": "ftp://x" });
    let names: Vec<_> = refused_fields(&update_me(&ada, &both).await);
    let names: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["avatar_url", "bio", "display_name"]);
    let after: Me = ada.get("/v1/users/me").await.unwrap().expect(200).unwrap();
    assert_eq!(after, before);
    // What is just not too long is kept.
    let most = json!({ "display_name": long(64), "bio": long(512), "avatar_url": picture(2_028) });
    ask_with(&ada, Method::PATCH, "/v1/users/me", &most).await.expect_status(200).unwrap();
}

#[tokio::test]
async fn a_profile_of_the_wrong_shape_changes_nothing() {
    let [ada] = people(["ada"]).await;
    let before: Me = ada.get("/v1/users/me").await.unwrap().expect(200).unwrap();
    for strange in [
        json!([]),
        json!("ada"),
        json!(null),
        json!({ "display_name": 5 }),
        json!({ "bio": ["a"] }),
        json!({ "avatar_url": {} }),
        json!({ "settings": { "share_receipts": "no", "share_last_seen": true } }),
        json!({ "settings": [] }),
    ] {
        let answer = update_me(&ada, &strange).await;
        answer.expect_problem(422, "validation_failed").unwrap();
    }
    let text = ada.request(Method::PATCH, "/v1/users/me").body("{\"bio\":");
    ada.api().send(text).await.unwrap().expect_problem(400, "invalid_json").unwrap();
    let after: Me = ada.get("/v1/users/me").await.unwrap().expect(200).unwrap();
    assert_eq!(after, before);
}

#[tokio::test]
async fn who_does_not_exist_is_not_found() {
    let [ada] = people(["ada"]).await;
    let unknown = unique_id().to_string();
    for id in [unknown.as_str(), "x", "1", "' OR 1=1", "../me", "%00", "me2"] {
        let answer = ada.get(&format!("/v1/users/{}", id.replace(' ', "%20"))).await.unwrap();
        assert_eq!(answer.status, 404, "{id}: {}", answer.text());
    }
    // One's own profile is the one that others see.
    let own: Value =
        ada.get(&format!("/v1/users/{}", ada.id())).await.unwrap().expect(200).unwrap();
    assert_eq!(keys(&own), PUBLIC);
}
