//! Opening conversations: once, by whom, and who hears of it.

use std::time::Duration;

use domain::{ClientId, Invalid, Title, TokenBucket, UserId, limits};
use service::port::{FanOutJob, SendGate};
use service::{Caller, Error, Event, GroupDraft, Openings};
use testkit::world::World;
use uuid::Uuid;

use crate::doubles::unwritable;

fn group(member_ids: Vec<UserId>) -> GroupDraft {
    let client_id = ClientId(Uuid::from_u128(1));
    GroupDraft { client_id, title: Title::parse("a group").unwrap(), member_ids }
}

fn nobody(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

/// The fields that were refused, with their codes.
fn refused(error: Error) -> Vec<(String, &'static str)> {
    let Error::Invalid(fields) = error else { panic!("{error:?}") };
    fields.into_iter().map(|field| (field.name, field.code)).collect()
}

async fn may_send(world: &World, who: Caller, to: domain::ConversationId) -> bool {
    world.live.is_member(who.user_id(), to).await.unwrap()
}

#[tokio::test]
async fn a_direct_conversation_is_one_whoever_opens_it() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let first = world.openings().open_direct(ada, bob.user_id()).await.unwrap();
    let second = world.openings().open_direct(bob, ada.user_id()).await.unwrap();
    assert!(first.is_new && !second.is_new);
    assert_eq!(first.conversation, second.conversation);
}

#[tokio::test]
async fn a_new_group_is_told_to_its_members_with_its_first_message() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let opened = world.openings().open_group(ada, group(vec![bob.user_id()])).await.unwrap();
    assert!(opened.is_new);
    let phone = world.socket(bob, "phone").await;
    for job in world.queues.drain_fan_out() {
        assert!(matches!(job, FanOutJob::ToMembers { .. }), "{job:?}");
        world.fan_out().run(job).await.unwrap();
    }
    let heard = world.pusher.heard_by(&phone);
    assert!(
        matches!(heard[..], [Event::ConversationChanged { .. }, Event::MessagesNew { .. }]),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_repeat_answers_with_the_same_group_and_writes_what_the_first_try_could_not() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let openings = world.openings();
    let openings = Openings { telling: unwritable(&openings.telling), ..openings };
    let error = openings.open_group(ada, group(vec![bob.user_id()])).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(world.queues.drain_fan_out(), [], "nobody is told who may not send yet");

    let again = world.openings().open_group(ada, group(vec![bob.user_id()])).await.unwrap();

    let id = again.conversation.id;
    assert!(!again.is_new);
    assert!(may_send(&world, ada, id).await && may_send(&world, bob, id).await);
    assert_eq!(world.live.membership_copies().len(), 2);
    let other = world.openings().open_group(bob, group(vec![])).await.unwrap();
    assert!(other.is_new, "a client_id is the creator's own");
}

#[tokio::test]
async fn a_repeat_tells_the_members_what_the_first_try_could_not() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    world.queues.set_down(true);
    assert!(world.openings().open_direct(ada, bob.user_id()).await.unwrap().is_new);
    world.queues.set_down(false);

    let again = world.openings().open_direct(ada, bob.user_id()).await.unwrap();

    assert!(!again.is_new);
    assert_eq!(world.queues.drain_fan_out().len(), 1, "both are told of the conversation");
    world.openings().open_direct(bob, ada.user_id()).await.unwrap();
    assert_eq!(world.queues.drain_fan_out(), [], "once is enough");
}

#[tokio::test]
async fn people_who_do_not_exist_are_named_by_their_index() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let named = vec![nobody(9), bob.user_id(), nobody(8)];
    let error = world.openings().open_group(ada, group(named)).await.unwrap_err();
    let mut fields = refused(error);
    fields.sort();
    let expected =
        ["member_ids[0]", "member_ids[2]"].map(|name| (name.to_owned(), "user_not_found"));
    assert_eq!(fields, expected);
    let error = world.openings().open_direct(ada, nobody(9)).await.unwrap_err();
    assert_eq!(refused(error), [("member_ids[0]".to_owned(), "user_not_found")]);
}

#[tokio::test]
async fn a_group_has_a_thousand_members_at_the_most() {
    let world = World::new();
    let ada = world.person("ada").await;
    let too_many = (1..=limits::MEMBERS_PER_GROUP as u128).map(nobody).collect();
    let error = world.openings().open_group(ada, group(too_many)).await.unwrap_err();
    assert_eq!(refused(error), [("member_ids".to_owned(), "too_many_members")]);
}

#[tokio::test]
async fn somebody_named_twice_or_the_creator_is_a_member_once() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let named = vec![bob.user_id(), ada.user_id(), bob.user_id()];
    let opened = world.openings().open_group(ada, group(named)).await.unwrap();
    assert_eq!(opened.conversation.member_count, 2);
}

#[tokio::test]
async fn nobody_opens_a_conversation_with_themselves_alone() {
    let world = World::new();
    let ada = world.person("ada").await;
    let error = world.openings().open_direct(ada, ada.user_id()).await.unwrap_err();
    let code = Invalid::new("invalid_member", "").code;
    assert_eq!(refused(error), [("member_ids[0]".to_owned(), code)]);
}

#[tokio::test]
async fn a_block_either_way_forbids_a_new_conversation() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    world.history.block(bob.user_id(), ada.user_id());
    for (who, whom) in [(ada, bob), (bob, ada)] {
        let error = world.openings().open_direct(who, whom.user_id()).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden { code: "not_allowed", .. }), "{error:?}");
    }
}

#[tokio::test]
async fn nobody_opens_conversations_without_end() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    for _ in 0..limits::CONVERSATIONS_PER_HOUR {
        world.openings().open_direct(ada, bob.user_id()).await.unwrap();
    }
    for error in [
        world.openings().open_direct(ada, bob.user_id()).await.unwrap_err(),
        world.openings().open_group(ada, group(vec![])).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::TooMany { retry_after_ms: 1.. }), "{error:?}");
    }
    world.openings().open_direct(bob, ada.user_id()).await.unwrap();
    world.clock.advance(Duration::from_secs(30));
    world.openings().open_direct(ada, bob.user_id()).await.unwrap();
}

#[tokio::test]
async fn who_names_a_crowd_opens_less() {
    let world = World::new();
    let ada = world.person("ada").await;
    let crowd: Vec<_> = (1..limits::MEMBERS_PER_GROUP as u128).map(nobody).collect();
    for _ in 0..6 {
        // Six times twenty: that there is nobody of that name is said, and counts all the same.
        let error = world.openings().open_group(ada, group(crowd.clone())).await.unwrap_err();
        assert_eq!(refused(error).len(), crowd.len());
    }
    let error = world.openings().open_group(ada, group(crowd.clone())).await.unwrap_err();
    assert!(matches!(error, Error::TooMany { .. }), "{error:?}");
    // Where less is allowed than a crowd takes, one may still be opened at a time.
    let strict = Openings { bucket: TokenBucket::per_hour(5), ..world.openings() };
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(refused(strict.open_group(ada, group(crowd)).await.unwrap_err()).len(), 999);
}
