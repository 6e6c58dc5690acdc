//! The rows of `routes.txt`, asked.

use acceptance::people::people;
use futures::StreamExt;
use futures::future::join_all;

use crate::answers::Question;
use crate::cast::{Cast, Group, Things};
use crate::table::{COLUMNS, Column, Own, Row, rows};

/// Cells that are asked at the same time.
const AT_ONCE: usize = 8;

/// What its cells share.
struct Prepared<'a> {
    row: Row,
    things: Things<'a>,
}

async fn prepared<'a>(
    row: Row,
    cast: &Cast,
    group: &'a Group,
    elsewhere: &'a Group,
) -> Prepared<'a> {
    let mut things = Things { group, elsewhere, session_id: None, request_id: None };
    if row.path.contains("{session_id}") {
        things.session_id = Some(cast.session().await);
    }
    if row.path.contains("{request_id}") {
        things.request_id = Some(cast.contact_request().await);
    }
    Prepared { row, things }
}

async fn mistakes(cast: &Cast, column: Column, prepared: &Prepared<'_>) -> Vec<String> {
    let Prepared { row, things } = prepared;
    let own = if row.cell(column).is_allowed() { row.own } else { Own::Nothing };
    let group = match own {
        Own::Group => Some(cast.group(row.path.contains("{seq")).await),
        _ => None,
    };
    let things = Things { group: group.as_ref().unwrap_or(things.group), ..things.clone() };
    let person = match own {
        Own::Person => Some(people(["somebody"]).await),
        _ => None,
    };
    // Who is not known asks for what is the owner's.
    let known = cast.asker(column).unwrap_or(&cast.owner);
    let asker = person.as_ref().map_or(known, |[person]| person);
    Question::new(row, cast, asker, &things).mistakes(cast, column, asker).await
}

#[tokio::test]
async fn each_route_answers_each_asker_as_its_row_says() {
    let cast = Cast::gather().await;
    let (group, elsewhere) = tokio::join!(cast.group(true), cast.group(true));
    let rows = rows().into_iter().map(|row| prepared(row, &cast, &group, &elsewhere));
    let rows = join_all(rows).await;
    let cells = rows.iter().flat_map(|row| COLUMNS.map(|column| (row, column)));
    let asked = futures::stream::iter(cells).map(|(row, column)| mistakes(&cast, column, row));
    let mut mistakes: Vec<_> = asked.buffer_unordered(AT_ONCE).concat().await;
    mistakes.sort_unstable();
    assert!(mistakes.is_empty(), "{} mistakes:\n{}", mistakes.len(), mistakes.join("\n"));
    // What was refused was not done either.
    let list = cast.other.conversations().await.unwrap();
    assert!(list.items.iter().all(|entry| entry.conversation.id != group.id));
    let still_there = format!("/v1/invites/{}", elsewhere.token());
    cast.other.get(&still_there).await.unwrap().expect_status(200).unwrap();
}
