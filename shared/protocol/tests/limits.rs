//! The second table of `docs/protocol.md`, "Limits", says what `domain/limits.rs` says. The first
//! one is held to it by the house rules.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::limits;

/// `8000` → `8,000`.
fn number(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn range(value: &std::ops::RangeInclusive<usize>) -> String {
    format!("{}–{} characters", number(*value.start()), number(*value.end()))
}

fn days(value: Duration) -> String {
    format!("{} days", value.as_secs() / 86_400)
}

fn each_minute(count: u32) -> Vec<String> {
    vec![format!("{count} a minute")]
}

fn each_hour(count: u32) -> Vec<String> {
    vec![format!("{count} an hour")]
}

/// The rows, each with the texts that it must hold.
fn promised() -> BTreeMap<&'static str, Vec<String>> {
    let minutes = limits::PASSWORD_TOKEN_LIFETIME.as_secs() / 60;
    let crowds = [limits::CONTACTS_PER_USER, limits::BLOCKS_PER_USER].map(number);
    BTreeMap::from([
        ("picture", vec![format!("{} bytes", number(limits::URL_MAX_BYTES))]),
        ("description of a group", vec![range(&limits::DESCRIPTION_CHARACTERS)]),
        ("open invites of a group", vec![number(limits::INVITES_PER_GROUP)]),
        ("an invite", vec![days(limits::INVITE_LIFETIME), days(limits::INVITE_LIFETIME_MAX)]),
        ("contacts, blocked people", vec![crowds.join(", ")]),
        ("a search for people", vec![range(&limits::SEARCH_CHARACTERS)]),
        ("looking for people", each_minute(limits::SEARCHES_PER_MINUTE)),
        ("parts of an export", each_minute(limits::EXPORT_PARTS_PER_MINUTE)),
        ("contact requests that wait, from one and for one", {
            let most = number(limits::CONTACT_REQUESTS_WAITING);
            vec![most.clone(), most]
        }),
        ("token to verify an address", vec![days(limits::EMAIL_TOKEN_LIFETIME)]),
        ("token to reset a password", vec![format!("{minutes} minutes")]),
        ("recovery codes", vec![number(limits::RECOVERY_CODES)]),
        ("sessions", vec![number(limits::SESSIONS_PER_USER)]),
        ("signing in", each_minute(limits::LOGINS_PER_MINUTE)),
        ("proving the password while signed in", each_minute(limits::LOGINS_PER_MINUTE)),
        ("registering", each_hour(limits::REGISTRATIONS_PER_HOUR)),
        ("mails asked for", each_hour(limits::MAILS_PER_HOUR)),
        ("tickets", each_minute(limits::TICKETS_PER_MINUTE)),
        ("making invites", each_hour(limits::INVITES_PER_HOUR)),
        ("looking at invites and joining", each_hour(limits::INVITES_PER_HOUR)),
        ("opening conversations", each_hour(limits::CONVERSATIONS_PER_HOUR)),
        ("unread messages that are counted", vec![number(limits::UNREAD_MOST as usize)]),
        ("contact requests", each_hour(limits::CONTACT_REQUESTS_PER_HOUR)),
    ])
}

#[test]
fn the_protocol_tells_clients_the_limits_of_people_and_groups() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, section) =
        document.split_once("\nMore of them, of accounts, people and groups:\n").unwrap();
    let table = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    let told: BTreeMap<_, _> =
        rows.filter_map(|row| row.strip_prefix("| ")?.split_once(" | ")).collect();
    let promised = promised();
    let labels: Vec<_> = told.keys().copied().collect();
    assert_eq!(labels, promised.keys().copied().collect::<Vec<_>>(), "left: docs/protocol.md");
    for (label, texts) in promised {
        for text in texts {
            let (before, after) = told[label].split_once(&text).unwrap_or_else(|| {
                panic!("{label}: {text}, not: {}", told[label]);
            });
            let joins = |letter: char| letter.is_ascii_digit() || letter == ',';
            let is_whole =
                !before.ends_with(joins) && !after.starts_with(|c: char| c.is_alphanumeric());
            assert!(is_whole, "{label}: {text}, not: {}", told[label]);
        }
    }
}
