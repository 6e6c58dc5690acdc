//! Edits, deletions, reactions and pins.

use domain::{Change, ConnectionId, ConversationId, Emoji, Mention, MessageText, Seq, limits};
use service::{Caller, Error, Event, Page};
use testkit::world::World;

use crate::steps::{fan_out, say};

/// A group of ada, who owns it, and bob; ada wrote seq 2.
async fn story() -> (World, Caller, Caller, ConversationId) {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    say(&world, ada, group, &[1]).await;
    (world, ada, bob, group)
}

fn edit(text: &str) -> Change {
    Change::edit(MessageText::parse(text).unwrap(), vec![]).unwrap()
}

fn thumb() -> Emoji {
    Emoji::parse("👍").unwrap()
}

/// (after, through, seqs) of every change that was told to this socket.
fn changes_heard_by(world: &World, id: &ConnectionId) -> Vec<(i64, i64, Vec<i64>)> {
    let heard = world.pusher.heard_by(id);
    let changes = heard.into_iter().filter_map(|event| match event {
        Event::MessagesChanged { after, through, messages, .. } => {
            Some((after.0, through.0, messages.iter().map(|message| message.seq.0).collect()))
        }
        _ => None,
    });
    changes.collect()
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::Forbidden { code, .. }
        | Error::NotFound { code, .. }
        | Error::Conflict { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn changes_are_taken_from_the_same_bucket_as_messages() {
    let (world, ada, bob, group) = story().await;
    // One message of ada's stands in the history already.
    let burst = limits::MESSAGES_BURST as usize;
    let toggles = [Change::React(thumb()), Change::Unreact(thumb())];
    let mut refused = 0;
    for change in toggles.iter().cycle().take(burst) {
        let changed = world.revisions().change(ada, group, Seq(2), change.clone()).await;
        refused += usize::from(matches!(changed, Err(Error::TooMany { retry_after_ms: 1.. })));
    }
    let sent = world.messages().send(ada, group, testkit::world::draft(99)).await;
    assert!(matches!(sent, Err(Error::TooMany { .. })), "{sent:?}");
    assert!(refused <= 1, "{refused}");
    world.revisions().change(bob, group, Seq(2), toggles[0].clone()).await.unwrap();
}

#[tokio::test]
async fn a_change_takes_the_next_number_and_is_told_to_every_device_of_every_member() {
    let (world, ada, bob, group) = story().await;
    let phones = [world.socket(ada, "ada").await, world.socket(bob, "bob").await];
    let changes = [edit("better"), Change::React(thumb()), Change::Pin, Change::Delete];
    for (change, rev) in changes.into_iter().zip(3..) {
        let message = world.revisions().change(ada, group, Seq(2), change).await.unwrap();
        assert_eq!((message.seq, message.rev), (Seq(2), Seq(rev)));
    }
    assert!(phones.iter().all(|phone| changes_heard_by(&world, phone).is_empty()), "inline");
    fan_out(&world).await;
    for phone in &phones {
        let expected: Vec<_> = (3..=6).map(|rev| (rev - 1, rev, vec![2])).collect();
        assert_eq!(changes_heard_by(&world, phone), expected);
    }
    let feed = world.history().changes(bob, group, Seq(2), 50).await.unwrap();
    assert_eq!((feed.items.len(), feed.through), (1, Seq(6)), "the feed has it once, as it is");
}

#[tokio::test]
async fn a_change_that_changes_nothing_takes_no_number_and_tells_nobody() {
    let (world, ada, bob, group) = story().await;
    let nothing = [(ada, edit("message 1")), (bob, Change::Unreact(thumb())), (ada, Change::Unpin)];
    for (who, change) in nothing {
        let message = world.revisions().change(who, group, Seq(2), change).await.unwrap();
        assert_eq!(message.rev, Seq(2));
    }
    world.revisions().change(bob, group, Seq(2), Change::React(thumb())).await.unwrap();
    let again = world.revisions().change(bob, group, Seq(2), Change::React(thumb())).await;
    assert_eq!(again.unwrap().rev, Seq(3));
    assert_eq!(world.queues.drain_fan_out().len(), 1);
}

#[tokio::test]
async fn who_joined_later_cannot_touch_it_and_their_cursor_moves_all_the_same() {
    let (world, ada, bob, group) = story().await;
    let cleo = world.person("cleo").await;
    world.history.add_member(group, cleo.user_id(), testkit::ambient::at_ms(0));
    let phones = [world.socket(bob, "bob").await, world.socket(cleo, "cleo").await];
    let refused = world.revisions().change(cleo, group, Seq(2), Change::React(thumb())).await;
    assert_eq!(code(&refused.unwrap_err()), "message_not_found");
    let page = Page { cursor: None, limit: 50 };
    let listed = world.reactors().list(cleo, group, Seq(2), &thumb(), page).await;
    assert_eq!(code(&listed.unwrap_err()), "message_not_found");

    world.revisions().change(ada, group, Seq(2), edit("better")).await.unwrap();
    fan_out(&world).await;
    assert_eq!(changes_heard_by(&world, &phones[0]), [(2, 3, vec![2])]);
    assert_eq!(changes_heard_by(&world, &phones[1]), [(2, 3, vec![])]);
}

#[tokio::test]
async fn a_refused_change_says_why_and_changes_nothing() {
    let (world, ada, bob, group) = story().await;
    let eve = world.person("eve").await;
    let revisions = world.revisions();
    let table = [
        (eve, 2, Change::React(thumb()), "conversation_not_found"),
        (bob, 9, Change::React(thumb()), "message_not_found"),
        (bob, 0, Change::React(thumb()), "message_not_found"),
        (bob, 2, edit("mine now"), "not_allowed"),
        (bob, 2, Change::Delete, "not_allowed"),
        (bob, 2, Change::Pin, "not_allowed"),
        (ada, 1, edit("another beginning"), "not_allowed"),
    ];
    for (who, seq, change, expected) in table {
        let error = revisions.change(who, group, Seq(seq), change.clone()).await.unwrap_err();
        assert_eq!(code(&error), expected, "{seq} {change:?}");
    }
    revisions.change(ada, group, Seq(2), Change::Delete).await.unwrap();
    for (who, change) in [(ada, edit("back")), (bob, Change::React(thumb())), (ada, Change::Pin)] {
        let error = revisions.change(who, group, Seq(2), change).await.unwrap_err();
        assert_eq!(code(&error), "message_deleted");
    }
    let again = revisions.change(ada, group, Seq(2), Change::Delete).await.unwrap();
    assert_eq!(again.rev, Seq(3), "deleting it again is a success that takes no number");
}

#[tokio::test]
async fn a_message_takes_twenty_emoji_and_more_people_for_each() {
    let (world, ada, bob, group) = story().await;
    let face = |index: u32| Emoji::parse(&char::from_u32(0x1F600 + index).unwrap().to_string());
    let revisions = world.revisions();
    for index in 0..u32::try_from(limits::EMOJI_PER_MESSAGE).unwrap() {
        let change = Change::React(face(index).unwrap());
        revisions.change(ada, group, Seq(2), change).await.unwrap();
    }
    let error = revisions.change(bob, group, Seq(2), Change::React(thumb())).await.unwrap_err();
    assert_eq!(code(&error), "too_many_reactions");
    let joined = Change::React(face(0).unwrap());
    let message = revisions.change(bob, group, Seq(2), joined).await.unwrap();
    assert_eq!(message.reactions[0].count, 2);
    let page = Page { cursor: None, limit: 1 };
    let first = world.reactors().list(bob, group, Seq(2), &face(0).unwrap(), page).await.unwrap();
    assert_eq!(first.items, [ada.user_id()]);
    let page = Page { cursor: first.next_cursor, limit: 1 };
    let rest = world.reactors().list(bob, group, Seq(2), &face(0).unwrap(), page).await.unwrap();
    assert_eq!((rest.items, rest.next_cursor), (vec![bob.user_id()], None));
}

#[tokio::test]
async fn a_change_that_cannot_be_told_is_made_all_the_same() {
    let (world, ada, bob, group) = story().await;
    world.queues.set_down(true);
    world.revisions().change(ada, group, Seq(2), edit("better")).await.unwrap();
    let feed = world.history().changes(bob, group, Seq(2), 50).await.unwrap();
    assert_eq!(feed.items[0].text.as_ref().unwrap().as_str(), "better");
}

#[tokio::test]
async fn an_edit_that_mentions_a_stranger_is_told_which_field_is_wrong() {
    let (world, ada, _, group) = story().await;
    let stranger = world.person("stranger").await.user_id();
    let mentions = vec![Mention { user_id: stranger, start: 0, length: 1 }];
    let edit = Change::edit(MessageText::parse("you").unwrap(), mentions).unwrap();
    let refused = world.revisions().change(ada, group, Seq(2), edit).await;
    let Err(Error::Invalid(fields)) = refused else { panic!("{refused:?}") };
    let named: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.code)).collect();
    assert_eq!(named, [("mentions", "invalid_mention")]);
}
