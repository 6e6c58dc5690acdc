//! A group as large as a group may be.

use std::collections::BTreeSet;

use harness::{Client, State, WAIT};
use protocol::body::{List, Member};
use serde_json::json;
use uuid::Uuid;

use crate::calls::{accept, add, changed, database, end, invite, path, remove, told_removed};
use crate::people::{devices, people};

/// People who never sign in.
async fn a_crowd(count: i32) -> Vec<Uuid> {
    let rows = "INSERT INTO users (id, username, email, display_name, password_hash, created_at)
        SELECT id, name, name || '@example.org', 'One of many', 'none', now() FROM (
            SELECT id, left(replace(id::text, '-', ''), 32) AS name FROM (
                SELECT gen_random_uuid() AS id FROM generate_series(1, $1)
            ) AS ids
        ) AS named RETURNING id";
    let rows = database().await.query(rows, &[&count]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// All of them, as many at once as a list gives.
async fn all_members(client: &Client, group: Uuid) -> Vec<Member> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = path(group, format!("/members?limit=200{cursor}"));
        let page: List<Member> = client.get(&path).await.unwrap().expect(200).unwrap();
        assert!(page.items.len() <= 200 && all.len() <= 1_000, "the pages do not end");
        all.extend(page.items);
        let Some(next) = page.next_cursor else { return all };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn a_group_has_at_most_a_thousand_members() {
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    let group = ada.open_group("Everybody", &[bob.id()]).await.unwrap().id;
    let apps = devices([&ada, &bob], &[group]).await;
    let crowd = a_crowd(997).await;
    // All at once, and answered whatever telling them takes. The message that names them is larger
    // than a frame, so it is fetched.
    let now = changed(&add(&ada, group, &crowd).await);
    assert_eq!((now.last_seq, now.member_count), (2, 999));
    for app in &apps {
        app.until("the crowd", WAIT, |state: &State| state.cursor(group) >= 2).await.unwrap();
        let shown = app.transcript(group);
        assert_eq!(shown.last().unwrap().event.as_ref().unwrap().user_ids, crowd);
        assert_eq!(shown, ada.history(group).await.unwrap());
    }

    let two = add(&ada, group, &[cleo.id(), dan.id()]).await;
    two.expect_problem(409, "group_full").unwrap();
    let token = invite(&ada, group, json!({})).await.token;
    assert_eq!(changed(&add(&ada, group, &[cleo.id()]).await).member_count, 1_000);
    add(&ada, group, &[dan.id()]).await.expect_problem(409, "group_full").unwrap();
    accept(&dan, &token).await.expect_problem(409, "group_full").unwrap();
    // Who is in may be named again, and takes no room.
    assert_eq!(changed(&add(&ada, group, &[cleo.id(), crowd[0]]).await).last_seq, 3);

    let members = all_members(&cleo, group).await;
    let ids: BTreeSet<_> = members.iter().map(|member| member.user_id).collect();
    let expected = [ada.id(), bob.id(), cleo.id()].into_iter().chain(crowd.iter().copied());
    assert_eq!((members.len(), ids), (1_000, expected.collect()));

    remove(&ada, group, crowd[0]).await.expect_status(204).unwrap();
    let now = changed(&accept(&dan, &token).await);
    assert_eq!((now.last_seq, now.member_count), (5, 1_000));
    let mut dans = dan.socket().await.unwrap();
    end(&ada, group).await.expect_status(204).unwrap();
    told_removed(&mut dans, group).await;
    for app in &apps {
        app.until("its end", WAIT, |state: &State| state.is_removed(group)).await.unwrap();
    }
}
