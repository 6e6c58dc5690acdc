//! Who may do what.

use std::collections::BTreeSet;

use harness::{Client, unique_id};
use protocol::value::MessageEvent;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::{
    add, ask, ask_with, assert_told, changed, edit, end, event, invite, invites, last_seq, path,
    remove, role_of, roles, set_role, told_removed,
};
use crate::people::people;

/// Everything that runs a group, but leaving and ending it.
fn running(
    group: Uuid,
    member: Uuid,
    stranger: Uuid,
    invite: Uuid,
) -> Vec<(Method, String, Value)> {
    let member = format!("/members/{member}");
    vec![
        (Method::PATCH, path(group, ""), json!({ "title": "Mine" })),
        (Method::POST, path(group, "/members"), json!({ "user_ids": [stranger] })),
        (Method::PATCH, path(group, &member), json!({ "role": "admin" })),
        (Method::PATCH, path(group, "/members/me"), json!({ "role": "owner" })),
        (Method::DELETE, path(group, &member), Value::Null),
        (Method::POST, path(group, "/invites"), json!({})),
        (Method::GET, path(group, "/invites"), Value::Null),
        (Method::DELETE, path(group, format!("/invites/{invite}")), Value::Null),
    ]
}

async fn assert_not_allowed(client: &Client, tries: Vec<(Method, String, Value)>) {
    for (method, path, body) in tries {
        let asked = client.request(method.clone(), &path);
        let asked = if body.is_null() { asked } else { asked.json(&body) };
        let answer = client.api().send(asked).await.unwrap();
        let refused = answer.expect_problem(403, "not_allowed");
        refused.unwrap_or_else(|failure| panic!("{method} {path} {body}: {failure}"));
    }
}

#[tokio::test]
async fn a_member_runs_nothing_and_may_leave() {
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    let group = ada.open_group("Run by one", &[bob.id(), cleo.id()]).await.unwrap().id;
    let hers = invite(&ada, group, json!({})).await.id;
    assert_not_allowed(&bob, running(group, cleo.id(), dan.id(), hers)).await;
    assert_not_allowed(&bob, running(group, ada.id(), dan.id(), hers)).await;
    end(&bob, group).await.expect_problem(403, "not_allowed").unwrap();
    assert_eq!(last_seq(&ada, group).await, 1, "something was refused and done");
    assert_eq!(invites(&ada, group).await.items.len(), 1);

    let mut sockets = [ada.socket().await.unwrap(), cleo.socket().await.unwrap()];
    let mut his = bob.socket().await.unwrap();
    remove(&bob, group, "me").await.expect_status(204).unwrap();
    let [first, second] = &mut sockets;
    let left = event("member_left", &bob, &[bob.id()]);
    assert_told(&ada, &mut [first, second], group, &left).await;
    told_removed(&mut his, group).await;
    remove(&bob, group, "me").await.expect_problem(404, "conversation_not_found").unwrap();
    assert_eq!(last_seq(&ada, group).await, 2);
}

#[tokio::test]
async fn an_admin_runs_the_group_but_not_its_owners_and_admins() {
    let [ada, bob, cleo, dan, eve] = people(["ada", "bob", "cleo", "dan", "eve"]).await;
    let others = [bob.id(), cleo.id(), dan.id()];
    let group = ada.open_group("Run by two", &others).await.unwrap().id;
    for admin in [&bob, &cleo] {
        changed(&set_role(&ada, group, admin.id(), "admin").await);
    }
    let before = last_seq(&ada, group).await;
    for who in [ada.id(), cleo.id()] {
        remove(&bob, group, who).await.expect_problem(403, "not_allowed").unwrap();
    }
    let of_roles = [
        (cleo.id(), "member"),
        (dan.id(), "admin"),
        (dan.id(), "owner"),
        (ada.id(), "member"),
        (bob.id(), "owner"),
        // Nor does an admin step down by themselves: roles are the owners'.
        (bob.id(), "member"),
    ];
    for (who, role) in of_roles {
        set_role(&bob, group, who, role).await.expect_problem(403, "not_allowed").unwrap();
    }
    end(&bob, group).await.expect_problem(403, "not_allowed").unwrap();
    assert_eq!(last_seq(&ada, group).await, before, "something was refused and done");

    assert_eq!(changed(&edit(&bob, group, json!({ "title": "Ours" })).await).last_seq, before + 1);
    assert_eq!(changed(&add(&bob, group, &[eve.id()]).await).member_count, 5);
    let made = invite(&bob, group, json!({})).await;
    assert_eq!(invites(&bob, group).await.items[0].created_by, bob.id());
    let made = path(group, format!("/invites/{}", made.id));
    ask(&bob, Method::DELETE, &made).await.expect_status(204).unwrap();
    remove(&bob, group, dan.id()).await.expect_status(204).unwrap();
    remove(&bob, group, "me").await.expect_status(204).unwrap();
    let left = [(ada.id(), "owner"), (cleo.id(), "admin"), (eve.id(), "member")];
    let left = BTreeSet::from(left.map(|(id, role)| (id, role.to_owned())));
    assert_eq!(roles(&ada, group).await.into_iter().collect::<BTreeSet<_>>(), left);
}

#[tokio::test]
async fn an_owner_gives_and_takes_roles_and_each_change_is_told_with_a_number() {
    let [ada, bob, cleo, eve] = people(["ada", "bob", "cleo", "eve"]).await;
    let group = ada.open_group("Roles", &[bob.id(), cleo.id()]).await.unwrap().id;
    let mut hers = ada.socket().await.unwrap();
    let mut his = bob.socket().await.unwrap();
    let mut cleos = cleo.socket().await.unwrap();
    for (number, role) in (2..).zip(["admin", "owner", "member", "owner"]) {
        let answer = changed(&set_role(&ada, group, bob.id(), role).await);
        assert_eq!((answer.last_seq, answer.member_count), (number, 3));
        let told = event("role_changed", &ada, &[bob.id()]);
        let told = MessageEvent { role: Some(role.to_owned()), ..told };
        assert_told(&ada, &mut [&mut hers, &mut his, &mut cleos], group, &told).await;
        assert_eq!(role_of(&cleo, group, bob.id()).await.as_deref(), Some(role));
        // The same again changes nothing and takes no number.
        let again = changed(&set_role(&ada, group, bob.id(), role).await);
        assert_eq!(again, ada.conversation(group).await.unwrap());
        assert_eq!(again.last_seq, number);
    }
    // The second owner removes an admin, and the first one.
    changed(&set_role(&bob, group, cleo.id(), "admin").await);
    remove(&bob, group, cleo.id()).await.expect_status(204).unwrap();
    remove(&bob, group, ada.id()).await.expect_status(204).unwrap();
    assert_eq!(roles(&bob, group).await, [(bob.id(), "owner".to_owned())]);

    let stranger = set_role(&bob, group, eve.id(), "admin").await;
    stranger.expect_problem(404, "member_not_found").unwrap();
    remove(&bob, group, eve.id()).await.expect_problem(404, "member_not_found").unwrap();
    remove(&bob, group, unique_id()).await.expect_problem(404, "member_not_found").unwrap();
    remove(&bob, group, "you").await.expect_problem(404, "user_not_found").unwrap();
    let of_bob = path(group, format!("/members/{}", bob.id()));
    for hostile in [json!({}), json!({ "role": "root" }), json!({ "role": 1 }), json!([])] {
        let answer = ask_with(&bob, Method::PATCH, &of_bob, &hostile).await;
        answer.expect_problem(422, "validation_failed").unwrap();
    }
}

#[tokio::test]
async fn the_last_owner_goes_only_after_handing_over() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let group = ada.open_group("Handed over", &[bob.id()]).await.unwrap().id;
    changed(&set_role(&ada, group, bob.id(), "admin").await);
    for who in ["me".to_owned(), ada.id().to_string()] {
        remove(&ada, group, &who).await.expect_problem(409, "last_owner").unwrap();
        for role in ["admin", "member"] {
            let answer = set_role(&ada, group, &who, role).await;
            answer.expect_problem(409, "last_owner").unwrap();
        }
    }
    assert_eq!(last_seq(&ada, group).await, 2, "something was refused and done");

    changed(&set_role(&ada, group, bob.id(), "owner").await);
    changed(&set_role(&ada, group, "me", "member").await);
    assert_eq!(role_of(&bob, group, ada.id()).await.as_deref(), Some("member"));
    set_role(&ada, group, "me", "owner").await.expect_problem(403, "not_allowed").unwrap();
    remove(&bob, group, "me").await.expect_problem(409, "last_owner").unwrap();
    changed(&set_role(&bob, group, ada.id(), "owner").await);
    remove(&bob, group, "me").await.expect_status(204).unwrap();
    // Alone, she cannot leave either; the group ends instead.
    remove(&ada, group, "me").await.expect_problem(409, "last_owner").unwrap();
    end(&ada, group).await.expect_status(204).unwrap();
    end(&ada, group).await.expect_problem(404, "conversation_not_found").unwrap();
}

#[tokio::test]
async fn a_direct_conversation_is_run_by_nobody() {
    let [ada, bob, eve] = people(["ada", "bob", "eve"]).await;
    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    for (one, other) in [(&ada, &bob), (&bob, &ada)] {
        assert_not_allowed(one, running(direct, other.id(), eve.id(), unique_id())).await;
        remove(one, direct, "me").await.expect_problem(403, "not_allowed").unwrap();
        remove(one, direct, one.id()).await.expect_problem(403, "not_allowed").unwrap();
    }
    let now = ada.conversation(direct).await.unwrap();
    assert_eq!((now.last_seq, now.member_count, now.title), (0, 2, None));
}
