//! `domain/limits.rs` and what clients are told say the same numbers.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use domain::limits;

use crate::repository::read;
use crate::yaml;

/// `8000` → `8,000`.
fn number(value: impl Display) -> String {
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

fn range(value: RangeInclusive<usize>) -> String {
    format!("{}–{}", number(value.start()), number(value.end()))
}

fn duration(value: Duration) -> String {
    let seconds = value.as_secs();
    let units = [("days", 86_400), ("minutes", 60), ("seconds", 1)];
    let largest = units.into_iter().find(|(_, length)| seconds.is_multiple_of(*length));
    let (unit, length) = largest.expect("whole seconds");
    format!("{} {unit}", seconds / length)
}

/// The rows of the table "Limits" in docs/protocol.md, each with the texts that it must hold.
fn promised() -> BTreeMap<&'static str, Vec<String>> {
    BTreeMap::from([
        ("user name", vec![range(limits::USERNAME_CHARACTERS)]),
        ("e-mail address", vec![format!("{} bytes", number(limits::EMAIL_MAX_BYTES))]),
        ("password", vec![format!("{} characters", range(limits::PASSWORD_CHARACTERS))]),
        (
            "display name, device name",
            vec![
                format!("{} characters", number(limits::DISPLAY_NAME_CHARACTERS.end())),
                format!("{} characters", number(limits::DEVICE_NAME_MAX_CHARACTERS)),
            ],
        ),
        ("bio", vec![format!("{} characters", number(limits::BIO_MAX_CHARACTERS))]),
        ("title of a group", vec![format!("{} characters", range(limits::TITLE_CHARACTERS))]),
        ("text", vec![format!("{} bytes", range(limits::MESSAGE_TEXT_BYTES))]),
        ("mentions in a message", vec![number(limits::MENTIONS_PER_MESSAGE)]),
        ("messages in a frame", vec![number(limits::MESSAGES_PER_FRAME)]),
        ("frame", vec![format!("{} bytes", number(limits::FRAME_MAX_BYTES))]),
        ("request body", vec![format!("{} bytes", number(limits::BODY_MAX_BYTES))]),
        ("members of a group", vec![number(limits::MEMBERS_PER_GROUP)]),
        ("sockets of a user", vec![number(limits::SOCKETS_PER_USER)]),
        (
            "sending and changing",
            vec![
                format!("{} messages a second", number(limits::MESSAGES_PER_SECOND)),
                format!("burst of {}", number(limits::MESSAGES_BURST)),
            ],
        ),
        (
            "items of a page",
            vec![number(limits::PAGE_DEFAULT), format!("at most {}", number(limits::PAGE_MAX))],
        ),
        ("cursors in a heartbeat", vec![number(limits::CURSORS_PER_HEARTBEAT)]),
        ("access token", vec![duration(limits::ACCESS_TOKEN_LIFETIME)]),
        ("refresh token", vec![duration(limits::REFRESH_TOKEN_LIFETIME)]),
        ("ticket", vec![duration(limits::TICKET_LIFETIME)]),
    ])
}

/// The rows of the same table about what is done to messages and seen of people.
fn promised_beside_messages() -> BTreeMap<&'static str, Vec<String>> {
    BTreeMap::from([
        (
            "one emoji, different emoji on a message",
            vec![
                format!("{} bytes", number(limits::EMOJI_MAX_BYTES)),
                number(limits::EMOJI_PER_MESSAGE),
            ],
        ),
        ("people named under one emoji of a message", vec![number(limits::USERS_PER_REACTION)]),
        (
            "people in a watch or a question for presence",
            vec![range(1..=limits::PRESENCES_PER_REQUEST)],
        ),
        ("a watch", vec![duration(limits::WATCH_LIFETIME)]),
        (
            "`presence.set` and `presence.watch`",
            vec![
                format!("{} a second", number(limits::SIGNALS_PER_SECOND)),
                format!("burst of {}", number(limits::SIGNALS_BURST)),
            ],
        ),
        (
            "typing",
            vec![
                duration(limits::TYPING_INTERVAL),
                format!("{} members", number(limits::TYPING_AUDIENCE)),
            ],
        ),
        ("a cursor of `/sync`", vec![duration(limits::SYNC_CURSOR_LIFETIME)]),
        ("the times of a trace", vec![duration(limits::TRACE_LIFETIME)]),
    ])
}

/// Does `row` hold `wanted`, and not as a part of a longer number or word?
fn says(row: &str, wanted: &str) -> bool {
    row.match_indices(wanted).any(|(at, _)| {
        let before = row[..at].chars().next_back();
        let after = row[at + wanted.len()..].chars().next();
        let joins = |letter: char| letter.is_alphanumeric() || letter == '–';
        !before.is_some_and(|letter| joins(letter) || letter == ',') && !after.is_some_and(joins)
    })
}

#[test]
fn the_protocol_tells_clients_the_limits_of_the_domain() {
    let document = read("docs/protocol.md");
    let (_, section) = document.split_once("\n## Limits\n").expect("docs/protocol.md: ## Limits");
    let table = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    let mut told = BTreeMap::new();
    for row in rows {
        let mut cells = row.trim_matches('|').splitn(2, '|').map(str::trim);
        told.insert(cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
    }
    let mut promised = promised();
    promised.extend(promised_beside_messages());
    let labels: Vec<_> = told.keys().collect();
    assert_eq!(labels, promised.keys().collect::<Vec<_>>(), "left: docs/protocol.md, ## Limits");
    for (label, texts) in promised {
        for text in texts {
            assert!(says(told[label], &text), "{label}: {text}, not: {}", told[label]);
        }
    }
}

#[test]
fn asyncapi_bounds_its_lists_as_the_domain_does() {
    let asyncapi = yaml::read("docs/asyncapi.yaml");
    let field = |frame: &str, field: &str| {
        let payload = &asyncapi["components"]["messages"][frame]["payload"];
        payload["properties"]["data"]["properties"][field]["maxItems"].clone()
    };
    assert_eq!(field("message.send", "messages"), limits::MESSAGES_PER_FRAME);
    assert_eq!(field("heartbeat", "cursors"), limits::CURSORS_PER_HEARTBEAT);
    assert_eq!(field("presence.watch", "user_ids"), limits::PRESENCES_PER_REQUEST);
}

#[test]
fn the_reader_of_limits_tells_numbers_apart() {
    assert_eq!(number(30_720), "30,720");
    assert_eq!(range(1..=8_000), "1–8,000");
    assert_eq!(duration(Duration::from_secs(15 * 60)), "15 minutes");
    assert!(says("15 minutes, then", "15 minutes") && !says("115 minutes", "15 minutes"));
    assert!(!says("8,000", "000") && !says("3–32", "3"));
}
