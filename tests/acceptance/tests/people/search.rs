//! Looking for people by the beginning of a name.

use acceptance::people::people_on;
use harness::{Account, Client, System, unique_id};
use protocol::body::{List, Profile};
use serde_json::json;
use uuid::Uuid;

use crate::calls::{NOBODY, keys, listed, refused_fields, update_me};

/// Ten characters that no other story's names begin with.
fn stem() -> String {
    unique_id().simple().to_string()[..10].to_owned()
}

/// The path of a search, with everything encoded that a browser would encode.
fn path(query: &str) -> String {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/v1/users?query={encoded}")
}

/// People whose user names begin with these, in this order.
async fn named<const N: usize>(starts: [&str; N]) -> [Client; N] {
    people_on(&System::shared().await.unwrap().api().unwrap(), starts).await
}

async fn call_oneself(client: &Client, name: &str) {
    update_me(client, &json!({ "display_name": name })).await.expect_status(200).unwrap();
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_either_name_whatever_its_case() {
    let stem = stem();
    let start = format!("{stem}-a");
    let [ada, zoe] = named([&start, "zoe"]).await;
    call_oneself(&ada, "Somebody Else").await;
    call_oneself(&zoe, &format!("Žófie {stem} Čapková")).await;
    let searcher = &zoe;
    for query in [stem.clone(), stem.to_uppercase(), format!("  {stem}-A ")] {
        assert_eq!(listed(searcher, &path(&query)).await, [ada.id()], "{query}");
    }
    for query in [format!("žófie {stem}"), format!("ŽÓFIE {}", stem.to_uppercase())] {
        assert_eq!(listed(&ada, &path(&query)).await, [zoe.id()], "{query}");
    }
    // Neither what stands inside a name nor an address leads to anybody.
    let inside = format!("{stem} ča");
    let address = ada.account().email.clone();
    for query in [inside.as_str(), &stem[1..], &address, &format!("{stem}-a@")] {
        assert_eq!(listed(searcher, &path(query)).await, NOBODY, "{query}");
    }
    // Both names in one answer, each person once, by user name.
    call_oneself(&ada, &format!("{stem} twice")).await;
    call_oneself(&zoe, &stem).await;
    assert_eq!(listed(searcher, &path(&stem)).await, [ada.id(), zoe.id()]);
}

#[tokio::test]
async fn many_people_come_page_by_page_each_of_them_once() {
    let stem = stem();
    let starts = ["a", "b", "c", "d", "e"].map(|end| format!("{stem}{end}"));
    let people = named(starts.each_ref().map(String::as_str)).await;
    // The display name finds them too, and gives nobody twice.
    for client in &people[..3] {
        call_oneself(client, &stem).await;
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = format!("{}&limit=2{cursor}", path(&stem));
        let page: List<Profile> = people[0].get(&page).await.unwrap().expect(200).unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items.iter().map(|profile| profile.id));
        let Some(next) = page.next_cursor else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, people.each_ref().map(Client::id));
    for cursor in ["x", "%00", "' OR 1=1", "AAAA", ""] {
        let answer = people[0].get(&format!("{}&cursor={cursor}", path(&stem))).await.unwrap();
        let refused = refused_fields(&answer);
        assert_eq!(refused, [("cursor".to_owned(), "invalid_cursor".to_owned())], "{cursor}");
    }
    for limit in ["0", "201", "-1", "x", "99999999999999999999"] {
        let answer = people[0].get(&format!("{}&limit={limit}", path(&stem))).await.unwrap();
        assert_eq!(refused_fields(&answer), [("limit".to_owned(), "invalid_limit".to_owned())]);
    }
}

#[tokio::test]
async fn what_somebody_types_is_no_pattern() {
    let stem = stem();
    let starts = ["1_2", "1x2", "q"].map(|end| format!("{stem}{end}"));
    let [under, other, odd] = named(starts.each_ref().map(String::as_str)).await;
    call_oneself(&odd, &format!("100%_\\{stem}'--")).await;
    for (query, expected) in [
        (format!("{stem}1_"), vec![under.id()]),
        (format!("{stem}1"), sorted(vec![under.id(), other.id()])),
        (format!("100%_\\{stem}'"), vec![odd.id()]),
        (format!("1__%_\\{stem}"), vec![]),
        (format!("{stem}%"), vec![]),
        (format!("{stem}\\"), vec![]),
        (format!("%{stem}"), vec![]),
        ("%%".to_owned(), vec![]),
        ("__".to_owned(), vec![]),
        (format!("{stem}' OR '1'='1"), vec![]),
        (format!("{stem}\"; DROP TABLE users; --"), vec![]),
    ] {
        assert_eq!(sorted(listed(&under, &path(&query)).await), expected, "{query}");
    }
}

#[tokio::test]
async fn hostile_searches_are_refused() {
    let [ada] = named(["ada"]).await;
    let long = "a".repeat(65);
    let refused = [("query".to_owned(), "invalid_query".to_owned())];
    for query in ["", "a", "  a  ", "ä", "\t\n ", "ab\u{0}", &long] {
        assert_eq!(refused_fields(&ada.get(&path(query)).await.unwrap()), refused, "{query:?}");
    }
    assert_eq!(refused_fields(&ada.get("/v1/users").await.unwrap()), refused);
    // Two characters of any length in bytes, and sixty-four of them.
    for query in ["ää", "\u{1f469}\u{1f4bb}", &"a".repeat(64), "\u{ffff}\u{fffe}"] {
        let answer = ada.get(&path(query)).await.unwrap();
        let body: serde_json::Value = answer.expect(200).unwrap();
        assert_eq!(keys(&body), ["items", "next_cursor"]);
    }
    assert!(Account::new("ada").username.len() < 32, "a whole user name can be looked for");
}
