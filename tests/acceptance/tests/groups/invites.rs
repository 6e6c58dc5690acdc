//! Coming in by an invite.

use harness::{Device, State, WAIT, unique_id};
use protocol::body::InvitePreview;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::{
    accept, ask, assert_told, changed, database, edit, entry, event, invite, invites, last_seq,
    path, preview, remove, role_of, until_stored,
};
use crate::people::{draft, people, seqs};

/// Everything that the database knows of a group's invites.
async fn rows(group: Uuid) -> Vec<String> {
    let all = "SELECT to_jsonb(i)::text FROM invites i WHERE conversation_id = $1";
    let rows = database().await.query(all, &[&group]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn an_invite_is_shown_once_and_brings_somebody_in() {
    let [ada, bob, dan] = people(["ada", "bob", "dan"]).await;
    let group = ada.open_group("By invitation", &[bob.id()]).await.unwrap().id;
    changed(&edit(&ada, group, json!({ "description": "Come in" })).await);
    let made = invite(&ada, group, json!({ "max_uses": 2, "expires_in_seconds": 3600 })).await;
    assert!(made.url.ends_with(&made.token) && made.token.len() >= 40, "{}", made.url);
    let [row] = &rows(group).await[..] else { panic!("not one invite") };
    assert!(!row.contains(&made.token), "the token itself is kept");
    let list = ada.get(&path(group, "/invites")).await.unwrap();
    assert!(!list.text().contains(&made.token), "the token is shown again");

    let seen: InvitePreview = preview(&dan, &made.token).await.expect(200).unwrap();
    assert_eq!((seen.conversation_id, seen.title.as_str()), (group, "By invitation"));
    assert_eq!((seen.description.as_deref(), seen.member_count), (Some("Come in"), 2));
    assert!(!seen.is_member);
    assert_eq!(last_seq(&ada, group).await, 2, "looking is not coming in");

    let mut sockets = [ada.socket().await.unwrap(), bob.socket().await.unwrap()];
    let mut dans = dan.socket().await.unwrap();
    let app = Device::start(&dan, &[]).await.unwrap();
    let now = changed(&accept(&dan, &made.token).await);
    assert_eq!((now.id, now.last_seq, now.member_count), (group, 3, 3));
    let [first, second] = &mut sockets;
    let told = event("member_joined", &dan, &[dan.id()]);
    assert_told(&dan, &mut [first, second, &mut dans], group, &told).await;
    app.until("the group", WAIT, |state: &State| state.cursor(group) >= 3).await.unwrap();
    assert_eq!(seqs(&dan.history(group).await.unwrap()), [3]);
    let mine = entry(&dan, group).await.unwrap();
    assert_eq!((mine.unread_count, mine.my.role.as_str()), (0, "member"));
    dan.send(group, &draft("thank you")).await.unwrap();
    until_stored(&ada, group, 4).await;

    // Again is the same: an answer may have been lost. It takes no number and no use.
    assert_eq!(changed(&accept(&dan, &made.token).await).last_seq, 4);
    let seen: InvitePreview = preview(&dan, &made.token).await.expect(200).unwrap();
    assert!(seen.is_member);
    let listed = &invites(&ada, group).await.items[0];
    assert_eq!((listed.id, listed.uses, listed.max_uses), (made.id, 1, Some(2)));
    assert_eq!((listed.created_by, &listed.expires_at), (ada.id(), &made.expires_at));
}

#[tokio::test]
async fn an_invite_ends_by_time_by_use_and_by_being_taken_back() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = ada.open_group("For a while", &[]).await.unwrap().id;
    let elsewhere = ada.open_group("Elsewhere", &[]).await.unwrap().id;
    let used = invite(&ada, group, json!({ "max_uses": 1 })).await;
    changed(&accept(&bob, &used.token).await);
    let expired = invite(&ada, group, json!({ "expires_in_seconds": 60 })).await;
    let past = "UPDATE invites SET expires_at = now() WHERE id = $1";
    assert_eq!(database().await.execute(past, &[&expired.id]).await.unwrap(), 1);
    let revoked = invite(&ada, group, json!({})).await;
    let taken_back = format!("/invites/{}", revoked.id);
    let wrong = ask(&ada, Method::DELETE, &path(elsewhere, &taken_back)).await;
    wrong.expect_problem(404, "invite_not_found").unwrap();
    preview(&cleo, &revoked.token).await.expect_status(200).unwrap();
    for _ in 0..2 {
        let answer = ask(&ada, Method::DELETE, &path(group, &taken_back)).await;
        answer.expect_status(204).unwrap();
    }
    let before = last_seq(&ada, group).await;
    for (made, code) in
        [(&used, "invite_used_up"), (&expired, "invite_expired"), (&revoked, "invite_revoked")]
    {
        preview(&cleo, &made.token).await.expect_problem(410, code).unwrap();
        accept(&cleo, &made.token).await.expect_problem(410, code).unwrap();
    }
    // Who came in by the last use and asks again is in, and stays so.
    assert_eq!(changed(&accept(&bob, &used.token).await).last_seq, before);
    let listed: Vec<_> = invites(&ada, group).await.items.iter().map(|i| i.id).collect();
    assert_eq!(listed, [expired.id, used.id], "newest first, without those taken back");

    let unknown = path(group, format!("/invites/{}", unique_id()));
    ask(&ada, Method::DELETE, &unknown).await.expect_problem(404, "invite_not_found").unwrap();
    let long = "x".repeat(2_000);
    let other = used.token.to_uppercase();
    for token in ["x", "'%20OR%201=1%20--", "%00", "..x", "%F0%9F%A6%84", &long, &other] {
        preview(&cleo, token).await.expect_problem(404, "invite_not_found").unwrap();
        accept(&cleo, token).await.expect_problem(404, "invite_not_found").unwrap();
    }
    assert_eq!(last_seq(&ada, group).await, before);
}

#[tokio::test]
async fn an_invite_is_for_whoever_has_it_even_behind_a_block_and_after_a_removal() {
    let [ada, bob, eve] = people(["ada", "bob", "eve"]).await;
    let group = ada.open_group("Open house", &[bob.id()]).await.unwrap().id;
    let token = invite(&ada, group, json!({})).await.token;
    let block = format!("/v1/users/me/blocks/{}", eve.id());
    ask(&ada, Method::PUT, &block).await.expect_status(204).unwrap();
    changed(&accept(&eve, &token).await);
    assert_eq!(role_of(&ada, group, eve.id()).await.as_deref(), Some("member"));
    // Who does not want her back takes the invite back.
    remove(&ada, group, eve.id()).await.expect_status(204).unwrap();
    let back = changed(&accept(&eve, &token).await);
    assert_eq!((back.last_seq, back.member_count), (4, 3));
    assert_eq!(seqs(&eve.history(group).await.unwrap()), [4]);
    assert_eq!(invites(&ada, group).await.items[0].uses, 2);
}

#[tokio::test]
async fn invites_of_strange_terms_and_too_many_of_them_are_refused() {
    let [ada, eve] = people(["ada", "eve"]).await;
    let group = ada.open_group("Picky", &[]).await.unwrap().id;
    for hostile in [
        json!({ "max_uses": 0 }),
        json!({ "max_uses": -1 }),
        json!({ "max_uses": 10_001 }),
        json!({ "max_uses": 1.5 }),
        json!({ "max_uses": "1" }),
        json!({ "expires_in_seconds": 59 }),
        json!({ "expires_in_seconds": 31_536_001 }),
        json!({ "expires_in_seconds": -60 }),
        json!({ "expires_in_seconds": "60" }),
        json!([]),
        Value::Null,
    ] {
        let answer = ada.post(&path(group, "/invites"), &hostile).await.unwrap();
        let refused = answer.expect_problem(422, "validation_failed");
        refused.unwrap_or_else(|failure| panic!("{hostile}: {failure}"));
    }
    let first = invite(&ada, group, json!({ "max_uses": 10_000 })).await;
    let fill = "INSERT INTO invites (id, conversation_id, creator_id, digest, max_uses, expires_at,
            created_at)
        SELECT gen_random_uuid(), conversation_id, creator_id,
            encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 1, expires_at, created_at
        FROM invites, generate_series(1, 99) WHERE id = $1";
    assert_eq!(database().await.execute(fill, &[&first.id]).await.unwrap(), 99);
    let full = ada.post(&path(group, "/invites"), &json!({})).await.unwrap();
    full.expect_problem(409, "too_many_invites").unwrap();
    assert_eq!(invites(&ada, group).await.items.len(), 100);
    let first = path(group, format!("/invites/{}", first.id));
    ask(&ada, Method::DELETE, &first).await.expect_status(204).unwrap();
    invite(&ada, group, json!({})).await;
    let stranger = eve.post(&path(group, "/invites"), &json!({})).await.unwrap();
    stranger.expect_problem(404, "conversation_not_found").unwrap();
}
