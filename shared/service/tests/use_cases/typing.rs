//! "Is typing": told at once to a few, or not at all.

use std::time::Duration;

use domain::{ConnectionId, ConversationId, limits};
use service::port::PushOutcome;
use service::{Caller, Error, Event};
use testkit::world::World;

use crate::steps::{read, record, say};

async fn story() -> (World, [Caller; 2], [ConnectionId; 2], ConversationId) {
    let world = World::new();
    let people = [world.person("ada").await, world.person("bob").await];
    let group = world.group(people[0], &people[1..]).await;
    let phones = [world.socket(people[0], "ada").await, world.socket(people[1], "bob").await];
    (world, people, phones, group)
}

fn typing_heard_by(world: &World, id: &ConnectionId) -> Vec<(bool, u64)> {
    let heard = world.pusher.heard_by(id).into_iter().filter_map(|event| match event {
        Event::Typing { is_active, expires_in_ms, .. } => Some((is_active, expires_in_ms)),
        _ => None,
    });
    heard.collect()
}

#[tokio::test]
async fn others_see_who_types_for_six_seconds_and_that_they_stopped() {
    let (world, people, [ada, bob], group) = story().await;
    world.typing().say(&ada, group, true).await.unwrap();
    world.typing().say(&ada, group, false).await.unwrap();
    assert_eq!(typing_heard_by(&world, &bob), [(true, 6_000), (false, 0)]);
    assert!(typing_heard_by(&world, &ada).is_empty(), "they know it themselves");
    let heard = world.pusher.heard_by(&bob);
    let expected = people[0].user_id();
    assert!(matches!(heard[0], Event::Typing { user_id, .. } if user_id == expected));
}

#[tokio::test]
async fn one_frame_goes_on_each_three_seconds_and_the_others_are_dropped_without_a_word() {
    let (world, _, [ada, bob], group) = story().await;
    for _ in 0..10 {
        world.typing().say(&ada, group, true).await.unwrap();
    }
    assert_eq!(typing_heard_by(&world, &bob).len(), 2, "a burst of two");
    for _ in 0..3 {
        world.clock.advance(limits::TYPING_INTERVAL);
        for _ in 0..5 {
            world.typing().say(&ada, group, true).await.unwrap();
        }
    }
    assert_eq!(typing_heard_by(&world, &bob).len(), 5);
}

#[tokio::test]
async fn at_most_twenty_online_members_are_told_those_who_read_last_first() {
    let (world, [ada_person, bob_person], [ada, _], _) = story().await;
    let mut crowd = vec![bob_person];
    for number in 0..30 {
        crowd.push(world.person(&format!("member-{number}")).await);
    }
    let group = world.group(ada_person, &crowd).await;
    say(&world, ada_person, group, &[1]).await;
    // The first five who read are offline; they take nobody's place.
    for reader in &crowd[1..=25] {
        read(&world, *reader, group, 2).await;
    }
    record(&world).await;
    let mut phones = Vec::new();
    for (index, member) in crowd[6..].iter().enumerate() {
        phones.push(world.socket(*member, &format!("phone-{index}")).await);
        world.socket(*member, &format!("tablet-{index}")).await;
    }
    world.typing().say(&ada, group, true).await.unwrap();
    let told: Vec<_> = phones.iter().map(|phone| typing_heard_by(&world, phone).len()).collect();
    let expected: Vec<_> = (0..phones.len()).map(|index| usize::from(index < 20)).collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn who_is_no_member_tells_nobody_that_they_type() {
    let (world, [_, bob_person], [ada, bob], group) = story().await;
    let eve = world.person("eve").await;
    let eve = world.socket(eve, "eve").await;
    world.history.remove_member(group, bob_person.user_id());
    for outsider in [&eve, &bob] {
        let error = world.typing().say(outsider, group, true).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { code: "conversation_not_found", .. }));
    }
    assert!(typing_heard_by(&world, &ada).is_empty());

    let unknown = ConnectionId::parse("unknown").unwrap();
    let error = world.typing().say(&unknown, group, true).await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated { .. }));
    assert!(world.pusher.is_disconnected(&unknown));
}

#[tokio::test]
async fn whoever_has_a_block_between_them_does_not_see_the_other_type() {
    let (world, [ada_person, bob_person], [ada, bob], group) = story().await;
    world.history.block(bob_person.user_id(), ada_person.user_id());
    world.typing().say(&ada, group, true).await.unwrap();
    world.typing().say(&bob, group, true).await.unwrap();
    assert!(typing_heard_by(&world, &ada).is_empty() && typing_heard_by(&world, &bob).is_empty());
}

#[tokio::test]
async fn typing_that_cannot_be_told_is_dropped_without_a_word() {
    let (world, _, [ada, bob], group) = story().await;
    world.live.set_down(true);
    world.typing().say(&ada, group, true).await.unwrap();
    world.live.set_down(false);
    world.history.set_down(true);
    world.typing().say(&ada, group, true).await.unwrap();
    world.history.set_down(false);
    world.clock.advance(Duration::from_secs(60));
    world.pusher.answer(&bob, PushOutcome::Failed);
    world.typing().say(&ada, group, true).await.unwrap();
    assert!(world.queues.drain_fan_out().is_empty(), "and it is not tried again");
}
