//! `Export`.

use domain::{Change, ContactRequestId, UserId};
use service::port::{ExportPart, ExportRecord, PageError};
use uuid::Uuid;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

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

async fn parts(ports: &HistoryPorts, user: UserId) -> Vec<ExportPart> {
    let (mut parts, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..1_000 {
        let part = ports.export.part(user, cursor.as_deref()).await.expect("exports");
        assert!(part.records.len() <= 200, "{} records", part.records.len());
        cursor.clone_from(&part.next_cursor);
        parts.push(part);
        if cursor.is_none() {
            return parts;
        }
    }
    panic!("the export does not end");
}

fn records<'a>(parts: &'a [ExportPart], section: &str) -> Vec<&'a ExportRecord> {
    let of_it = parts.iter().filter(|part| part.section == section);
    of_it.flat_map(|part| &part.records).collect()
}

fn says_it(records: &[&ExportRecord], value: &str) -> bool {
    let mut values = records.iter().flat_map(|record| record.iter().map(|(_, value)| value));
    values.any(|found| found.as_deref() == Some(value))
}

pub async fn an_export_has_everything_of_ones_own_and_nothing_of_others(
    fixture: &dyn HistoryFixture,
) {
    let ports = three_people(fixture).await;
    for (number, from, to) in [(1, ADA, BOB), (2, BOB, ADA)] {
        let id = ContactRequestId(Uuid::from_u128(number));
        ports.contacts.ask(id, from, to, at(1)).await.expect("asks");
    }
    ports.blocks.block(ADA, CLEO, at(1)).await.expect("blocks");
    let id = open_direct(&ports, ADA, BOB).await.conversation.id;
    append(&ports, &[says(id, ADA, 1), says(id, BOB, 2)]).await;
    for (user, with) in [(ADA, "👍"), (BOB, "🎉")] {
        let outcome = change(&ports, user, id, 2, Change::React(emoji(with))).await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    let group = open_group(&ports, 1, &[]).await.conversation.id;
    let invite = ports.invites.create(new_invite(group, 1, None)).await.expect("creates").id;
    let parts = parts(&ports, ADA).await;
    let places = parts.iter().map(|part| SECTIONS.iter().position(|name| *name == part.section));
    let places: Option<Vec<usize>> = places.collect();
    assert!(places.expect("sections that are known").is_sorted());
    assert!(says_it(&records(&parts, "profile"), "ada@example.org"));
    assert!(says_it(&records(&parts, "contacts"), &BOB.to_string()));
    assert!(says_it(&records(&parts, "blocks"), &CLEO.to_string()));
    assert!(says_it(&records(&parts, "conversations"), &id.to_string()));
    assert!(says_it(&records(&parts, "messages"), "message 1"));
    assert!(!says_it(&records(&parts, "messages"), "message 2"), "Bob said it");
    assert_eq!(records(&parts, "sessions").len(), 1);
    assert!(says_it(&records(&parts, "invites"), &invite.to_string()));
    assert!(says_it(&records(&parts, "reactions"), "👍"));
    assert!(!says_it(&records(&parts, "reactions"), "🎉"), "Bob reacted");
    let all: Vec<_> = parts.iter().flat_map(|part| &part.records).collect();
    for secret in ["bob@example.org", "hash of ada", &digest(0)] {
        assert!(!says_it(&all, secret), "{secret}");
    }
}

pub async fn a_long_export_comes_in_parts(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[]).await.conversation.id;
    for batch in 0..41 {
        ada_says(&ports, id, (1..=10).map(|number| batch * 10 + number)).await;
    }
    let parts = parts(&ports, ADA).await;
    let records = records(&parts, "messages");
    for number in 1..=410 {
        let said = format!("message {number}");
        let of_it = records
            .iter()
            .filter(|record| record.iter().any(|(_, value)| value.as_ref() == Some(&said)));
        assert_eq!(of_it.count(), 1, "{said}");
    }
}

pub async fn hostile_cursors_of_an_export_are_refused(fixture: &dyn HistoryFixture) {
    let ports = three_people(fixture).await;
    for raw in ["", "\u{0}", "💥", "-1", "' OR 1=1 --", "99_0", "0_x", &"9".repeat(10_000)] {
        let outcome = ports.export.part(ADA, Some(raw)).await;
        assert!(matches!(outcome, Err(PageError::InvalidCursor)), "{raw:.40}: {outcome:?}");
    }
}
