//! `MessageChanges`: reactions, and who reacted.

use domain::{Change, ChangeRefusal, ConversationId, Message, Reaction, Seq, UserId, limits};
use service::port::{ChangeError, Changed, PageError};
use tokio::task::JoinSet;

use super::scene::*;
use super::{HistoryFixture, HistoryPorts};

/// Ada's group with Bob and Cleo, and her message 2 in it.
async fn a_message(fixture: &dyn HistoryFixture) -> (HistoryPorts, ConversationId) {
    let ports = three_people(fixture).await;
    let id = open_group(&ports, 1, &[BOB, CLEO]).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    (ports, id)
}

async fn react(ports: &HistoryPorts, user: UserId, id: ConversationId, raw: &str) -> Changed {
    change(ports, user, id, 2, Change::React(emoji(raw))).await.expect("reacts")
}

async fn unreact(ports: &HistoryPorts, user: UserId, id: ConversationId, raw: &str) -> Changed {
    change(ports, user, id, 2, Change::Unreact(emoji(raw))).await.expect("takes it back")
}

fn reaction(raw: &str, user_ids: &[UserId]) -> Reaction {
    let count = u32::try_from(user_ids.len()).expect("a small number");
    Reaction { emoji: emoji(raw), count, user_ids: user_ids.to_vec() }
}

async fn reactors(ports: &HistoryPorts, id: ConversationId, raw: &str) -> Vec<UserId> {
    let found = ports.changes.reactors(ADA, id, Seq(2), &emoji(raw), page(None, 200)).await;
    found.expect("reads").expect("a message").0
}

pub async fn reactions_stand_in_the_order_in_which_they_came(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    for (user, raw) in [(CLEO, "👍"), (BOB, "❤️"), (ADA, "👍")] {
        react(&ports, user, id, raw).await;
    }
    let shown = react(&ports, CLEO, id, "❤️").await.message;
    let expected = [reaction("👍", &[CLEO, ADA]), reaction("❤️", &[BOB, CLEO])];
    assert_eq!((shown.reactions.as_slice(), shown.rev), (expected.as_slice(), Seq(6)));
    assert_eq!((shown.edited_at, shown.seq), (None, Seq(2)));
    let (items, _) = feed(ports.messages.as_ref(), BOB, id, Seq(2), 5).await;
    assert_eq!(items, [shown]);
}

pub async fn an_emoji_keeps_its_place_while_somebody_stands_under_it(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    for (user, raw) in [(ADA, "👍"), (BOB, "❤️"), (CLEO, "👍")] {
        react(&ports, user, id, raw).await;
    }
    let shown = unreact(&ports, ADA, id, "👍").await.message;
    assert_eq!(shown.reactions, [reaction("👍", &[CLEO]), reaction("❤️", &[BOB])]);
    let shown = unreact(&ports, CLEO, id, "👍").await.message;
    assert_eq!(shown.reactions, [reaction("❤️", &[BOB])]);
    let shown = react(&ports, ADA, id, "👍").await.message;
    assert_eq!(shown.reactions, [reaction("❤️", &[BOB]), reaction("👍", &[ADA])]);
}

pub async fn the_same_reaction_twice_is_one(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    let first = react(&ports, BOB, id, "👍").await;
    assert!(first.recipients.is_some());
    let again = react(&ports, BOB, id, "👍").await;
    assert_eq!(again, Changed { message: first.message, recipients: None });
    let taken_back = unreact(&ports, BOB, id, "👍").await;
    assert_eq!((taken_back.message.rev, taken_back.recipients.is_some()), (Seq(4), true));
    let again = unreact(&ports, BOB, id, "👍").await;
    assert_eq!(again, Changed { message: taken_back.message, recipients: None });
}

pub async fn who_reacts_again_stands_last(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    for user in [ADA, BOB, CLEO] {
        react(&ports, user, id, "👍").await;
    }
    unreact(&ports, ADA, id, "👍").await;
    assert_eq!(reactors(&ports, id, "👍").await, [BOB, CLEO]);
    let shown = react(&ports, ADA, id, "👍").await.message;
    assert_eq!(shown.reactions, [reaction("👍", &[BOB, CLEO, ADA])]);
    assert_eq!(reactors(&ports, id, "👍").await, [BOB, CLEO, ADA]);
}

pub async fn emoji_that_look_alike_stay_apart(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    for raw in ["👍", "👍🏽", "👨‍👩‍👧‍👦", "❤", "❤️"] {
        react(&ports, BOB, id, raw).await;
    }
    let shown = react(&ports, CLEO, id, "👍🏽").await.message;
    let counts: Vec<_> = shown.reactions.iter().map(|r| (r.emoji.as_str(), r.count)).collect();
    assert_eq!(counts, [("👍", 1), ("👍🏽", 2), ("👨‍👩‍👧‍👦", 1), ("❤", 1), ("❤️", 1)]);
}

pub async fn a_message_takes_only_so_many_different_emoji(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    let face = |number: u32| char::from_u32(0x1F600 + number).expect("a face").to_string();
    for number in (0..).take(limits::EMOJI_PER_MESSAGE) {
        react(&ports, BOB, id, &face(number)).await;
    }
    let one_more = change(&ports, CLEO, id, 2, Change::React(emoji("👍"))).await;
    let refusal = ChangeError::Refused(ChangeRefusal::TooManyReactions);
    assert_eq!(format!("{:?}", one_more.expect_err("full")), format!("{refusal:?}"));
    let known = react(&ports, CLEO, id, &face(0)).await.message;
    assert_eq!(known.reactions[0], reaction(&face(0), &[BOB, CLEO]));
    unreact(&ports, BOB, id, &face(1)).await;
    let room = react(&ports, CLEO, id, "👍").await.message;
    assert_eq!(room.reactions.len(), limits::EMOJI_PER_MESSAGE);
}

/// A group of 25 people who all reacted to message 2, in the order of this list.
async fn a_crowd(fixture: &dyn HistoryFixture) -> (HistoryPorts, ConversationId, Vec<UserId>) {
    let ports = three_people(fixture).await;
    let mut people = crowd(&ports, 25).await;
    people.rotate_left(7);
    let id = open_group(&ports, 1, &people).await.conversation.id;
    ada_says(&ports, id, [1]).await;
    for user in &people {
        react(&ports, *user, id, "👍").await;
    }
    (ports, id, people)
}

pub async fn of_a_crowd_all_are_counted_and_the_first_are_named(fixture: &dyn HistoryFixture) {
    let (ports, id, people) = a_crowd(fixture).await;
    let named = |message: &Message| {
        let [reaction] = message.reactions.as_slice() else { panic!("one emoji") };
        (reaction.count, reaction.user_ids.clone())
    };
    let (items, _) = feed(ports.messages.as_ref(), ADA, id, Seq(2), 5).await;
    let first = limits::USERS_PER_REACTION;
    assert_eq!(named(&items[0]), (25, people[..first].to_vec()));
    // The next in line takes the place of the first.
    let shown = unreact(&ports, people[0], id, "👍").await.message;
    assert_eq!(named(&shown), (24, people[1..=first].to_vec()));
    let shown = unreact(&ports, people[24], id, "👍").await.message;
    assert_eq!(named(&shown), (23, people[1..=first].to_vec()));
}

pub async fn pages_of_reactors_neither_overlap_nor_skip(fixture: &dyn HistoryFixture) {
    let (ports, id, people) = a_crowd(fixture).await;
    for limit in [1, 10, 12, 25, 200] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        for _ in 0..=people.len() {
            let wanted = page(cursor, limit);
            let found = ports.changes.reactors(ADA, id, Seq(2), &emoji("👍"), wanted).await;
            let (some, next) = found.expect("reads").expect("a message");
            assert!(some.len() <= limit as usize);
            seen.extend(some);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, people, "by {limit}");
    }
}

pub async fn reactors_are_told_only_to_who_may_see_the_message(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    react(&ports, BOB, id, "👍").await;
    fixture.remove_member(id, CLEO).await;
    let ask = async |user, id, seq| {
        let found = ports.changes.reactors(user, id, Seq(seq), &emoji("👍"), page(None, 5)).await;
        found.expect("reads").map(|(people, _)| people)
    };
    assert_eq!(ask(ADA, id, 2).await, Some(vec![BOB]));
    assert_eq!(ask(ADA, id, 1).await, Some(vec![]));
    for (user, id, seq) in [
        (CLEO, id, 2),
        (NOBODY, id, 2),
        (ADA, conversation_id(99), 2),
        (ADA, id, 3),
        (ADA, id, i64::MAX),
    ] {
        assert_eq!(ask(user, id, seq).await, None, "{seq}");
    }
    fixture.add_member(id, CLEO).await;
    assert_eq!(ask(CLEO, id, 2).await, None);
}

pub async fn hostile_cursors_of_reactors_are_refused(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    react(&ports, BOB, id, "👍").await;
    for raw in ["", "x", "-", "1.5", "\u{0}", "'; --", "🚂", &"9".repeat(500)] {
        let wanted = page(Some(raw.to_owned()), 5);
        let outcome = ports.changes.reactors(ADA, id, Seq(2), &emoji("👍"), wanted).await;
        assert!(matches!(outcome, Err(PageError::InvalidCursor)), "{raw:.20}: {outcome:?}");
    }
}

pub async fn reactions_of_many_at_once_are_all_counted(fixture: &dyn HistoryFixture) {
    let (ports, id) = a_message(fixture).await;
    let mut work = JoinSet::new();
    for user in [ADA, BOB, CLEO] {
        let ports = fixture.process();
        work.spawn(async move {
            for raw in ["👍", "❤️", "🚂"] {
                react(&ports, user, id, raw).await;
            }
        });
    }
    while let Some(done) = work.join_next().await {
        done.expect("work that ends well");
    }
    let (items, through) = feed(ports.messages.as_ref(), ADA, id, Seq(2), 5).await;
    let counts: Vec<u32> = items[0].reactions.iter().map(|one| one.count).collect();
    assert_eq!((counts, through), (vec![3, 3, 3], Seq(11)));
    for raw in ["👍", "❤️", "🚂"] {
        assert_eq!(reactors(&ports, id, raw).await.len(), 3);
    }
}
