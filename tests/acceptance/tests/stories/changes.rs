//! Edits, deletions, reactions and pins: everybody sees them, and each takes one number.

use std::collections::BTreeSet;

use futures::future::join_all;
use harness::{Client, Device, State, System, WAIT};
use protocol::body::List;
use protocol::frame::Said;
use protocol::value::Message;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::calls::{
    assert_all_agree, changed, delete, edit, heard_until, is_message, pin, reaction, told_change,
    until_stored,
};
use crate::people::{a_pair, devices, draft, people, texts};

const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

/// A group of three whose owner is the first, with what the second wrote as number 2.
async fn a_group() -> ([Client; 3], Uuid) {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = ada.open_group("Changing", &[bob.id(), cleo.id()]).await.unwrap().id;
    bob.send(group, &draft("what bob wrote")).await.unwrap();
    until_stored(&ada, group, 2).await;
    ([ada, bob, cleo], group)
}

#[tokio::test]
async fn every_change_is_seen_live_by_every_device_of_both() {
    let (ada, bob, conversation) = a_pair().await;
    let (ada_tablet, bob_tablet) =
        (ada.another_device().await.unwrap(), bob.another_device().await.unwrap());
    let devices = devices([&ada, &ada_tablet, &bob, &bob_tablet], &[conversation]).await;
    devices[0].post(conversation, "helo");
    assert_all_agree(&devices, conversation, 1).await;

    let edited = changed(&edit(&ada, conversation, 1, "hello").await);
    assert_eq!((edited.text.as_deref(), edited.rev), (Some("hello"), 2));
    assert!(edited.edited_at.is_some());
    let reacted = changed(&reaction(&bob, PUT, conversation, 1, "👍").await);
    assert_eq!((reacted.reactions[0].count, reacted.rev), (1, 3));
    let pinned = changed(&pin(&bob, PUT, conversation, 1).await);
    assert_eq!((pinned.pinned, pinned.rev), (true, 4));
    assert_all_agree(&devices, conversation, 4).await;
    assert_eq!(devices[3].transcript(conversation), [pinned]);

    delete(&ada, conversation, 1).await.expect_status(204).unwrap();
    assert_all_agree(&devices, conversation, 5).await;
    let [tombstone] = &devices[2].transcript(conversation)[..] else { panic!("one message") };
    assert_is_empty(tombstone);
    assert_eq!((tombstone.seq, tombstone.rev), (1, 5));
}

fn assert_is_empty(tombstone: &Message) {
    assert!(tombstone.deleted_at.is_some());
    assert_eq!(tombstone.text, None);
    assert!(tombstone.mentions.is_empty() && tombstone.reactions.is_empty());
    assert!(!tombstone.pinned);
}

#[tokio::test]
async fn a_change_is_a_frame_that_covers_its_one_number() {
    let (ada, bob, conversation) = a_pair().await;
    ada.send(conversation, &draft("first")).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    let (mut hers, mut his) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    let reacted = changed(&reaction(&bob, PUT, conversation, 1, "🎉").await);
    for socket in [&mut hers, &mut his] {
        let told = told_change(socket, conversation).await;
        assert_eq!((told.after, told.through), (1, 2));
        assert_eq!(told.messages, std::slice::from_ref(&reacted));
    }
}

#[tokio::test]
async fn who_was_offline_sees_the_changes_through_sync_and_the_feed() {
    let (ada, bob, conversation) = a_pair().await;
    let devices = devices([&ada, &bob], &[conversation]).await;
    for text in ["one", "two", "three"] {
        devices[0].post(conversation, text);
    }
    assert_all_agree(&devices, conversation, 3).await;
    devices[1].go_offline();
    devices[1].until("offline", WAIT, |state| !state.is_online()).await.unwrap();
    changed(&edit(&ada, conversation, 1, "one, edited").await);
    delete(&ada, conversation, 2).await.expect_status(204).unwrap();
    changed(&reaction(&ada, PUT, conversation, 3, "❤️").await);
    changed(&edit(&ada, conversation, 1, "one, edited twice").await);
    // Each message once, as it is now, in the order of its last change.
    let feed = bob.changes(conversation, 3).await.unwrap();
    let numbers: Vec<_> = feed.items.iter().map(|m| (m.seq, m.rev)).collect();
    assert_eq!(numbers, [(2, 5), (3, 6), (1, 7)]);
    assert_eq!((feed.through, feed.last_seq, feed.has_more), (7, 7, false));
    devices[1].go_online();
    assert_all_agree(&devices, conversation, 7).await;
    assert_eq!(texts(&devices[1].transcript(conversation)), ["one, edited twice", "three"]);
}

#[tokio::test]
async fn a_change_that_changes_nothing_takes_no_number() {
    let (ada, bob, conversation) = a_pair().await;
    ada.send(conversation, &draft("the same")).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    let same = |answer| assert_eq!(changed(&answer).rev, 1);
    same(edit(&ada, conversation, 1, "the same").await);
    same(reaction(&bob, DELETE, conversation, 1, "👍").await);
    same(pin(&bob, DELETE, conversation, 1).await);
    for _ in 0..2 {
        assert_eq!(changed(&reaction(&bob, PUT, conversation, 1, "👍").await).rev, 2);
    }
    for _ in 0..2 {
        assert_eq!(changed(&pin(&ada, PUT, conversation, 1).await).rev, 3);
    }
    for _ in 0..2 {
        assert_eq!(changed(&reaction(&bob, DELETE, conversation, 1, "👍").await).rev, 4);
    }
    for _ in 0..2 {
        delete(&ada, conversation, 1).await.expect_status(204).unwrap();
    }
    assert_eq!(ada.conversation(conversation).await.unwrap().last_seq, 5);
}

#[tokio::test]
async fn a_tombstone_changes_no_more() {
    let (ada, bob, conversation) = a_pair().await;
    ada.send(conversation, &draft("regretted")).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    changed(&reaction(&bob, PUT, conversation, 1, "😮").await);
    changed(&pin(&bob, PUT, conversation, 1).await);
    delete(&ada, conversation, 1).await.expect_status(204).unwrap();
    for answer in [
        edit(&ada, conversation, 1, "it was nothing").await,
        reaction(&bob, PUT, conversation, 1, "😮").await,
        pin(&bob, PUT, conversation, 1).await,
    ] {
        answer.expect_problem(409, "message_deleted").unwrap();
    }
    // What takes away what is gone already has nothing to do.
    assert_is_empty(&changed(&reaction(&bob, DELETE, conversation, 1, "😮").await));
    assert_is_empty(&changed(&pin(&bob, DELETE, conversation, 1).await));
    let list = reaction(&bob, Method::GET, conversation, 1, "😮").await;
    assert!(list.expect::<List<Uuid>>(200).unwrap().items.is_empty());
    assert_eq!(ada.conversation(conversation).await.unwrap().last_seq, 4);
}

#[tokio::test]
async fn only_its_sender_edits_a_message_and_only_leaders_and_its_sender_delete_it() {
    let ([ada, bob, cleo], group) = a_group().await;
    for answer in [
        edit(&ada, group, 2, "what bob did not write").await,
        edit(&cleo, group, 2, "what bob did not write").await,
        delete(&cleo, group, 2).await,
        pin(&cleo, PUT, group, 2).await,
        pin(&bob, PUT, group, 2).await,
        pin(&bob, DELETE, group, 2).await,
        edit(&ada, group, 1, "what the server did not write").await,
        delete(&ada, group, 1).await,
        reaction(&ada, PUT, group, 1, "👍").await,
        pin(&ada, PUT, group, 1).await,
    ] {
        answer.expect_problem(403, "not_allowed").unwrap();
    }
    assert_eq!(changed(&edit(&bob, group, 2, "what bob meant").await).rev, 3);
    assert!(changed(&pin(&ada, PUT, group, 2).await).pinned);
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let admin = "UPDATE members SET role = 'admin' WHERE conversation_id = $1 AND user_id = $2";
    assert_eq!(database.execute(admin, &[&group, &cleo.id()]).await.unwrap(), 1);
    assert!(!changed(&pin(&cleo, DELETE, group, 2).await).pinned);
    edit(&cleo, group, 2, "not hers").await.expect_problem(403, "not_allowed").unwrap();
    delete(&cleo, group, 2).await.expect_status(204).unwrap();
    assert_is_empty(&bob.history(group).await.unwrap()[1]);
}

#[tokio::test]
async fn in_a_direct_conversation_both_pin_and_each_deletes_their_own() {
    let (ada, bob, conversation) = a_pair().await;
    ada.send(conversation, &draft("hers")).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    delete(&bob, conversation, 1).await.expect_problem(403, "not_allowed").unwrap();
    edit(&bob, conversation, 1, "his").await.expect_problem(403, "not_allowed").unwrap();
    assert!(changed(&pin(&bob, PUT, conversation, 1).await).pinned);
    assert!(!changed(&pin(&ada, DELETE, conversation, 1).await).pinned);
    delete(&bob, conversation, 2).await.expect_problem(404, "message_not_found").unwrap();
}

#[tokio::test]
async fn who_joined_later_gets_an_empty_frame_that_moves_the_cursor() {
    let ([ada, bob, _], group) = a_group().await;
    let [dora] = people(["dora"]).await;
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let join = "INSERT INTO members
            (conversation_id, user_id, role, joined_seq, delivered_seq, read_seq, joined_at)
        SELECT id, $2, 'member', last_seq, last_seq, last_seq, now()
        FROM conversations WHERE id = $1";
    assert_eq!(database.execute(join, &[&group, &dora.id()]).await.unwrap(), 1);
    let mut hers = dora.socket().await.unwrap();
    let device = Device::start(&dora, &[group]).await.unwrap();
    changed(&edit(&bob, group, 2, "before her time").await);
    let told = told_change(&mut hers, group).await;
    assert_eq!((told.after, told.through), (2, 3));
    assert_eq!(told.messages, []);
    device.until("number 3", WAIT, |s: &State| s.cursor(group) == 3).await.unwrap();
    assert_eq!(device.transcript(group), []);
    let feed = dora.changes(group, 2).await.unwrap();
    assert_eq!((feed.items, feed.through, feed.last_seq), (vec![], 3, 3));
    for answer in [
        edit(&dora, group, 2, "hers?").await,
        delete(&dora, group, 2).await,
        reaction(&dora, PUT, group, 2, "👍").await,
        reaction(&dora, Method::GET, group, 2, "👍").await,
        pin(&dora, PUT, group, 2).await,
    ] {
        answer.expect_problem(404, "message_not_found").unwrap();
    }
    assert_eq!(ada.conversation(group).await.unwrap().last_seq, 3);
}

#[tokio::test]
async fn who_has_left_is_told_of_no_change_and_makes_none() {
    let ([ada, bob, cleo], group) = a_group().await;
    let mut hers = cleo.socket().await.unwrap();
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let leave = "UPDATE members SET left_seq = 2 WHERE conversation_id = $1 AND user_id = $2";
    assert_eq!(database.execute(leave, &[&group, &cleo.id()]).await.unwrap(), 1);
    changed(&edit(&bob, group, 2, "now that she is gone").await);
    changed(&reaction(&ada, PUT, group, 2, "🤫").await);
    for answer in [
        reaction(&cleo, PUT, group, 2, "👍").await,
        delete(&cleo, group, 2).await,
        edit(&cleo, group, 2, "still here").await,
    ] {
        answer.expect_problem(404, "conversation_not_found").unwrap();
    }
    let direct = ada.open_direct(cleo.id()).await.unwrap().id;
    ada.send(direct, &draft("between us")).await.unwrap();
    let heard = heard_until(&mut hers, |said| is_message(said, "between us")).await;
    let told = heard.iter().find(|said| matches!(said, Said::MessageChanged(_)));
    assert_eq!(told, None, "who has left was told of a change");
    assert_eq!(ada.conversation(group).await.unwrap().last_seq, 4);
}

#[tokio::test]
async fn hostile_numbers_and_emoji_are_refused_by_name() {
    let (ada, _, conversation) = a_pair().await;
    ada.send(conversation, &draft("a target")).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    let messages = format!("/v1/conversations/{conversation}/messages");
    let refused = |answer: harness::Answer, name: &str, code: &str| {
        let problem = answer.expect_problem(422, "validation_failed").unwrap();
        let fields = problem.fields.unwrap_or_default();
        assert_eq!((fields[0].name.as_str(), fields[0].code.as_str()), (name, code));
    };
    for seq in ["0", "-1", "x", "1.5", "1e3", "99999999999999999999", "%00", "+1", "1%20"] {
        let path = format!("{messages}/{seq}/pin");
        let answer = ada.api().send(ada.request(PUT, &path)).await.unwrap();
        refused(answer, "seq", "invalid_seq");
    }
    for emoji in [
        "a",
        "%C3%A9",
        "%20",
        "%00",
        "%EF%BF%BE",
        "%3Cscript%3E",
        "'--",
        "%F0%9F%91%8D%F0%9F%91%8D",
        "%F0%9F%91%8Dx",
        &"%F0%9F%91%8D".repeat(200),
    ] {
        let path = format!("{messages}/1/reactions/{emoji}");
        let answer = ada.api().send(ada.request(PUT, &path)).await.unwrap();
        refused(answer, "emoji", "invalid_emoji");
    }
    for no_text in ["%FF%FE", "%F0%9F", "%ED%A0%80"] {
        // API Gateway's own answer.
        reaction(&ada, PUT, conversation, 1, no_text).await.expect_status(400).unwrap();
    }
    let missing = i64::MAX;
    pin(&ada, PUT, conversation, missing).await.expect_problem(404, "message_not_found").unwrap();
    assert_eq!(ada.conversation(conversation).await.unwrap().last_seq, 1);
    for (number, emoji) in ["👍🏽", "❤️", "1️⃣", "👩‍👩‍👧‍👦", "🇩🇪"].into_iter().enumerate()
    {
        let reacted = changed(&reaction(&ada, PUT, conversation, 1, emoji).await);
        assert_eq!(reacted.reactions[number].emoji, emoji);
    }
}

#[tokio::test]
async fn a_message_has_at_most_twenty_emoji_and_a_list_of_all_who_took_one() {
    let ([ada, bob, cleo], group) = a_group().await;
    let emoji: Vec<_> = ('\u{1F400}'..='\u{1F414}').map(String::from).collect();
    for one in &emoji[..20] {
        changed(&reaction(&ada, PUT, group, 2, one).await);
    }
    let one_more = reaction(&ada, PUT, group, 2, &emoji[20]).await;
    one_more.expect_problem(409, "too_many_reactions").unwrap();
    for person in [&cleo, &bob] {
        changed(&reaction(person, PUT, group, 2, &emoji[3]).await);
    }
    let shown = &ada.history(group).await.unwrap()[1].reactions;
    assert_eq!(shown.len(), 20);
    let expected = [ada.id(), cleo.id(), bob.id()];
    assert_eq!((shown[3].count, &shown[3].user_ids[..]), (3, &expected[..]));
    let mut listed = Vec::new();
    let mut query = "limit=2".to_owned();
    while listed.len() < 4 {
        let path = format!("/v1/conversations/{group}/messages/2/reactions/{}?{query}", emoji[3]);
        let page: List<Uuid> = bob.get(&path).await.unwrap().expect(200).unwrap();
        listed.extend(page.items);
        let Some(next) = page.next_cursor else { break };
        query = format!("limit=2&cursor={next}");
    }
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn two_editors_at_once_take_each_number_once_and_all_devices_agree() {
    let (ada, bob, conversation) = a_pair().await;
    let tablet = bob.another_device().await.unwrap();
    let devices = devices([&ada, &bob, &tablet], &[conversation]).await;
    devices[0].post(conversation, "hers");
    devices[0].until("hers", WAIT, |s: &State| s.cursor(conversation) == 1).await.unwrap();
    devices[1].post(conversation, "his");
    assert_all_agree(&devices, conversation, 2).await;
    let edits = (0..10).flat_map(|number| {
        [(&ada, 1, format!("hers {number}")), (&bob, 2, format!("his {number}"))]
    });
    let edits = join_all(edits.map(|(client, seq, text)| async move {
        changed(&edit(client, conversation, seq, &text).await).rev
    }));
    let emoji = ["👍", "👎", "😀", "😢"];
    let reactions = join_all([&ada, &bob].into_iter().flat_map(|client| {
        emoji.map(
            |one| async move { changed(&reaction(client, PUT, conversation, 1, one).await).rev },
        )
    }));
    let (edits, reactions) = tokio::join!(edits, reactions);
    let numbers: BTreeSet<_> = edits.into_iter().chain(reactions).collect();
    assert_eq!(numbers, (3..=30).collect(), "a number was given twice or left out");
    assert_all_agree(&devices, conversation, 30).await;
    let database = System::shared().await.unwrap().database().connect().await.unwrap();
    let count = "SELECT count(*) FROM reactions WHERE conversation_id = $1";
    let count: i64 = database.query_one(count, &[&conversation]).await.unwrap().get(0);
    assert_eq!(count, 8);
}

#[tokio::test]
async fn an_edit_names_its_own_mentions_or_has_none() {
    let (ada, bob, conversation) = a_pair().await;
    let mention = json!([{ "user_id": bob.id(), "start": 0, "length": 4 }]);
    let path = format!("/v1/conversations/{conversation}/messages/1");
    let mut message = draft("@bob");
    message.mentions = serde_json::from_value(mention.clone()).unwrap();
    ada.send(conversation, &message).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    assert_eq!(changed(&edit(&ada, conversation, 1, "nobody").await).mentions, []);
    let body = json!({ "text": "@bob again", "mentions": mention });
    let answer = crate::calls::ask_with(&ada, Method::PATCH, &path, &body).await;
    assert_eq!(changed(&answer).mentions[0].user_id, bob.id());
    let outside = json!({ "text": "@b", "mentions": mention });
    let answer = crate::calls::ask_with(&ada, Method::PATCH, &path, &outside).await;
    answer.expect_problem(422, "validation_failed").unwrap();
    for text in ["", "a\u{0}b", &"x".repeat(8_001)] {
        let answer = edit(&ada, conversation, 1, text).await;
        answer.expect_problem(422, "validation_failed").unwrap();
    }
}
