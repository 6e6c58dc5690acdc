//! Two at once.

use std::collections::BTreeSet;

use futures::future::join_all;
use harness::{Answer, Client, Device, Socket, State, WAIT, eventually};
use protocol::frame::Said;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{
    accept, add, changed, invite, invites, last_seq, path, remove, role_of, roles, set_role,
};
use crate::people::{assert_exactly_once, client_id, devices, draft, people};

/// Often enough for both orders on a busy machine.
const ROUNDS: usize = 6;

async fn groups_of_two_owners(ada: &Client, bob: &Client, others: &[Uuid]) -> Vec<Uuid> {
    let mut groups = Vec::new();
    for _ in 0..ROUNDS {
        let members: Vec<_> = [bob.id()].into_iter().chain(others.iter().copied()).collect();
        let group = ada.open_group("Of two", &members).await.unwrap().id;
        changed(&set_role(ada, group, bob.id(), "owner").await);
        groups.push(group);
    }
    groups
}

/// One was done and the other refused.
fn assert_one_of(answers: [Answer; 2], done: u16, refused: (u16, &str)) -> bool {
    let is_first = answers[0].status == done;
    let (good, bad) = if is_first { (0, 1) } else { (1, 0) };
    answers[good].expect_status(done).unwrap();
    answers[bad].expect_problem(refused.0, refused.1).unwrap();
    is_first
}

#[tokio::test]
async fn of_two_owners_who_leave_at_once_one_stays() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let groups = groups_of_two_owners(&ada, &bob, &[cleo.id()]).await;
    let rounds = groups.iter().map(async |group| {
        let (hers, his) = tokio::join!(remove(&ada, *group, "me"), remove(&bob, *group, "me"));
        let she_left = assert_one_of([hers, his], 204, (409, "last_owner"));
        let stayed = if she_left { bob.id() } else { ada.id() };
        let left = [(stayed, "owner".to_owned()), (cleo.id(), "member".to_owned())];
        let roles: BTreeSet<_> = roles(&cleo, *group).await.into_iter().collect();
        assert_eq!(roles, left.into_iter().collect());
        assert_eq!(last_seq(&cleo, *group).await, 3);
    });
    join_all(rounds).await;
}

#[tokio::test]
async fn of_two_owners_who_demote_each_other_at_once_one_stays() {
    let [ada, bob] = people(["ada", "bob"]).await;
    let groups = groups_of_two_owners(&ada, &bob, &[]).await;
    let rounds = groups.iter().map(async |group| {
        let (hers, his) = tokio::join!(
            set_role(&ada, *group, bob.id(), "member"),
            set_role(&bob, *group, ada.id(), "member"),
        );
        let she_won = assert_one_of([hers, his], 200, (403, "not_allowed"));
        let role = role_of(&ada, *group, ada.id()).await;
        assert_eq!(role.as_deref(), Some(if she_won { "owner" } else { "member" }));
        let owners = roles(&bob, *group).await.iter().filter(|(_, role)| role == "owner").count();
        assert_eq!(owners, 1);
    });
    join_all(rounds).await;
}

#[tokio::test]
async fn the_last_use_of_an_invite_brings_one_in() {
    let [ada, bob, cleo, dan] = people(["ada", "bob", "cleo", "dan"]).await;
    for _ in 0..3 {
        let group = ada.open_group("One more", &[]).await.unwrap().id;
        let token = invite(&ada, group, json!({ "max_uses": 1 })).await.token;
        let all = [&bob, &cleo, &dan, &bob].map(|client| accept(client, &token));
        let answers = join_all(all).await;
        let now = ada.conversation(group).await.unwrap();
        assert_eq!((now.member_count, now.last_seq), (2, 2));
        let winner = ada.members(group).await.unwrap().items[1].user_id;
        for (client, answer) in [&bob, &cleo, &dan, &bob].iter().zip(&answers) {
            if client.id() == winner {
                assert_eq!(changed(answer).member_count, 2);
            } else {
                answer.expect_problem(410, "invite_used_up").unwrap();
            }
        }
        assert_eq!(invites(&ada, group).await.items[0].uses, 1);
    }
}

/// What became of frames of one message each: accepted, or refused with this client id.
async fn accepted_of(socket: &mut Socket, frames: &[(Uuid, Uuid)]) -> Vec<Uuid> {
    let mut accepted = Vec::new();
    for (frame, client_id) in frames {
        match socket.answer_to(*frame).await.unwrap() {
            Said::MessageAccepted(_) => accepted.push(*client_id),
            Said::Error(error) => assert_eq!(error.code, "conversation_not_found"),
            other => panic!("{other:?}"),
        }
    }
    accepted
}

/// Says so many things without waiting; answers the frames and what they carry.
async fn say(socket: &mut Socket, group: Uuid, count: usize) -> Vec<(Uuid, Uuid)> {
    let mut frames = Vec::new();
    for number in 0..count {
        let draft = draft(&format!("number {number}"));
        let frame = socket.send(group, std::slice::from_ref(&draft)).await.unwrap();
        frames.push((frame, client_id(&draft)));
    }
    frames
}

#[tokio::test]
async fn nothing_is_stored_after_a_removal_that_races_with_sends() {
    let [ada, bob] = people(["ada", "bob"]).await;
    for round in 0..3 {
        let group = ada.open_group("Talked out", &[bob.id()]).await.unwrap().id;
        let mut his = bob.socket().await.unwrap();
        let mut frames = say(&mut his, group, 1 + 4 * round).await;
        let (removed, during) =
            tokio::join!(remove(&ada, group, bob.id()), say(&mut his, group, 8));
        removed.expect_status(204).unwrap();
        frames.extend(during);
        // The copy may be old still: what it lets through is rejected, as any of the rest.
        frames.extend(say(&mut his, group, 1).await);
        let accepted = accepted_of(&mut his, &frames).await;

        // The lane keeps its order: when this is stored, everything before it has its end.
        let marker = draft("he is gone");
        ada.send(group, &marker).await.unwrap();
        let is_stored = async || {
            let history = ada.history(group).await.unwrap();
            (history.last()?.client_id == client_id(&marker)).then_some(history)
        };
        let history = eventually("the lane is done", WAIT, is_stored).await.unwrap();
        assert_exactly_once(&history);
        let stored: Vec<_> = history.iter().filter(|message| message.text.is_some()).collect();
        for client_id in accepted {
            if stored.iter().any(|message| message.client_id == client_id) {
                continue;
            }
            let told = his.rejected(client_id).await.unwrap();
            assert_eq!((told.code.as_str(), told.retryable), ("not_a_member", false));
        }
        let removal = &history[history.len() - 2];
        let told = removal.event.as_ref().map(|event| event.event_type.as_str());
        assert_eq!(told, Some("member_removed"), "something of his came after his removal");
    }
}

#[tokio::test]
async fn one_who_is_added_twice_at_once_comes_in_once() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    for group in groups_of_two_owners(&ada, &bob, &[]).await {
        let users = [cleo.id()];
        let (one, other) = tokio::join!(add(&ada, group, &users), add(&bob, group, &users));
        assert_eq!((changed(&one).last_seq, changed(&other).last_seq), (3, 3));
        // And out once.
        let (one, other) =
            tokio::join!(remove(&ada, group, cleo.id()), remove(&bob, group, cleo.id()));
        assert_one_of([one, other], 204, (404, "member_not_found"));
        assert_eq!(last_seq(&ada, group).await, 4);
    }
}

#[tokio::test]
async fn adding_and_removing_at_once_leaves_the_copy_that_admits_sends_true() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = groups_of_two_owners(&ada, &bob, &[]).await[0];
    let mut cleos = cleo.socket().await.unwrap();
    let users = [cleo.id()];
    for _ in 0..3 * ROUNDS {
        let (added, removed) =
            tokio::join!(add(&ada, group, &users), remove(&bob, group, cleo.id()));
        added.expect_status(200).unwrap();
        assert!(removed.status == 204 || removed.status == 404, "{}", removed.text());
        let is_in = cleo.get(&path(group, "")).await.unwrap().status == 200;
        // It may be written later than the answers came, when that takes long; what cannot be
        // written then is left to the sweep, which looks once a minute at what is 20 seconds old.
        let socket = &tokio::sync::Mutex::new(&mut cleos);
        let is_true = async || {
            let mut socket = socket.lock().await;
            let frames = say(&mut socket, group, 1).await;
            (is_in != accepted_of(&mut socket, &frames).await.is_empty()).then_some(())
        };
        eventually("a true copy", WAIT * 6, is_true).await.unwrap();
    }
}

/// Each app says so many things.
fn talk(apps: &[Device], group: Uuid, count: usize) {
    for number in 0..count {
        for app in apps {
            app.post(group, &format!("number {number}"));
        }
    }
}

#[tokio::test]
async fn who_comes_and_goes_while_all_talk_sees_exactly_what_was_said_meanwhile() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = ada.open_group("Busy", &[bob.id()]).await.unwrap().id;
    let apps = devices([&ada, &bob], &[group]).await;
    let hers = Device::start(&cleo, &[]).await.unwrap();
    talk(&apps, group, 10);
    changed(&add(&ada, group, &[cleo.id()]).await);
    talk(&apps, group, 5);
    remove(&bob, group, "me").await.expect_status(204).unwrap();
    changed(&add(&ada, group, &[bob.id()]).await);
    talk(&apps, group, 5);
    for app in &apps {
        let is_settled = |state: &State| state.unsettled() == 0;
        app.until("the end of every message", WAIT, is_settled).await.unwrap();
    }
    let history = ada.history(group).await.unwrap();
    assert_exactly_once(&history);
    let last = history.len() as i64;
    let has_all = move |state: &State| state.cursor(group) >= last;
    for app in apps.iter().chain([&hers]) {
        app.until("all of it", WAIT, has_all).await.unwrap();
    }
    let joined = cleo.members(group).await.unwrap().items;
    let joined = |user| joined.iter().find(|m| m.user_id == user).unwrap().joined_seq;
    let since = |seq: i64| history.iter().filter(|m| m.seq > seq).cloned().collect::<Vec<_>>();
    assert_eq!(apps[0].transcript(group), history);
    assert_eq!(hers.transcript(group), since(joined(cleo.id())));
    assert_eq!(cleo.history(group).await.unwrap(), hers.transcript(group));
    assert_eq!(bob.history(group).await.unwrap(), since(joined(bob.id())));
    let shown = apps[1].transcript(group);
    assert!(since(joined(bob.id())).iter().all(|message| shown.contains(message)));
}
