//! What is left of somebody who went, wherever something is kept.

use acceptance::people::{draft, people, texts};
use harness::{Client, System};
use protocol::body::My;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{
    ask, ask_with, asked, befriend, block, erase_me, until_stored, update_me, watch,
};
use crate::residue::{items_with, kind, log, rows_with, until_erased};

/// Everything that somebody leaves behind when they live here for a while.
async fn live(ada: &Client, bob: &Client, cleo: &Client, words: &[String]) -> (Uuid, Uuid) {
    let [name, bio, picture, device] = &words[..4] else { panic!("{words:?}") };
    let profile = json!({ "display_name": name, "bio": bio, "avatar_url": picture });
    update_me(ada, &profile).await.expect_status(200).unwrap();
    let mut login = ada.account().to_login();
    login.device_name = Some(device.clone());
    ada.api().post("/v1/auth/login", &login).await.unwrap().expect_status(200).unwrap();
    login.password = Some("not this one".to_owned());
    ada.api().post("/v1/auth/login", &login).await.unwrap().expect_status(401).unwrap();
    let address = json!({ "email": ada.account().email });
    let forgot = ada.api().post("/v1/auth/password/forgot", &address).await.unwrap();
    forgot.expect_status(202).unwrap();
    let password = json!({ "password": harness::PASSWORD });
    ada.post("/v1/auth/two-factor", &password).await.unwrap().expect_status(201).unwrap();
    befriend(ada, bob).await;
    asked(ada, cleo.id()).await;
    block(ada, Method::PUT, cleo.id()).await.expect_status(204).unwrap();

    let direct = ada.open_direct(bob.id()).await.unwrap().id;
    let group = bob.open_group("Ours", &[ada.id(), cleo.id()]).await.unwrap().id;
    let (mut hers, mut his) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    watch(&mut hers, bob.id()).await;
    watch(&mut his, ada.id()).await;
    for (client, text) in [(ada, "from her"), (bob, "from him")] {
        client.send(direct, &draft(text)).await.unwrap();
    }
    until_stored(ada, direct, 2).await;
    let receipt = json!({ "read": 2 });
    let receipts = format!("/v1/conversations/{direct}/receipts");
    ada.post(&receipts, &receipt).await.unwrap().expect_status(204).unwrap();
    let reaction = format!("/v1/conversations/{direct}/messages/2/reactions/👍");
    ask(ada, Method::PUT, &reaction).await.expect_status(200).unwrap();
    let preferences = json!({ "archived": true, "pinned": true, "muted_until": null });
    for conversation in [direct, group] {
        let path = format!("/v1/conversations/{conversation}/preferences");
        ask_with(ada, Method::PUT, &path, &preferences).await.expect::<My>(200).unwrap();
    }
    let typing = json!({ "conversation_id": direct, "active": true });
    hers.say_frame("typing", typing).await.unwrap();
    hers.say_frame("presence.set", json!({ "status": "dnd" })).await.unwrap();
    ada.ticket().await.unwrap();
    (direct, group)
}

#[tokio::test]
async fn nothing_of_somebody_who_went_is_left_anywhere() {
    let system = System::shared().await.unwrap();
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let mark = ada.account().username.clone();
    let mut words = vec![
        format!("Countess {mark}"),
        format!("Bio of {mark}"),
        format!("https://example.org/{mark}.png"),
        format!("Phone of {mark}"),
    ];
    let (direct, _) = live(&ada, &bob, &cleo, &words).await;
    words.extend([mark, ada.account().email.clone()]);
    // Otherwise that nothing is found would say nothing.
    assert!(rows_with(system, &words[..1]).await.len() == 1);
    assert!(!items_with(system, &[ada.session_id.to_string()]).await.is_empty());

    erase_me(&ada).await.expect_status(202).unwrap();
    let report = until_erased(system, ada.id()).await;
    assert_eq!(report["left"], "", "{report}");
    let none: [String; 0] = [];
    assert_eq!(rows_with(system, &words).await, none);
    assert_eq!(items_with(system, &words).await, []);
    // Her id names the sender of what stays. It says nothing, and is in no table of people.
    let id = [ada.id().to_string()];
    let tables = rows_with(system, &id).await;
    let conversations = ["conversations", "members", "membership_changes", "messages", "reactions"];
    let may_stay = [&["users"][..], &conversations].concat();
    for row in &tables {
        let (table, _) = row.split_once(':').unwrap();
        assert!(may_stay.contains(&table), "{row}");
    }
    assert_eq!(rows_with(system, &[ada.session_id.to_string()]).await, none);
    // What is live of her ends by itself, but for the copies of memberships; and what she is in
    // the table says that she is gone, and nothing else.
    for item in items_with(system, &id).await {
        assert!(item.contains_key("expires_at") || kind(&item) == "V", "{item:?}");
        if kind(&item) == "U" {
            let kept = ["erased", "expires_at", "pk", "sk"];
            // That a session has ended may be noted last.
            let is_kept = |name: &String| kept.contains(&name.as_str()) || name.starts_with("s#");
            assert!(item.contains_key("erased") && item.keys().all(is_kept), "{item:?}");
        }
    }
    let log = log(system);
    for word in &words {
        assert!(!log.contains(word), "the log names {word}");
    }
    let history = bob.history(direct).await.unwrap();
    assert_eq!(texts(&history), ["from her", "from him"]);
    assert_eq!(history[1].reactions[0].user_ids, [ada.id()]);
}
