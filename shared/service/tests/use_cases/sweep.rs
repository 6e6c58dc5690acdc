//! The worker that runs each minute.

use std::time::Duration;

use domain::{ClientId, ConnectionId, ConversationId, Seq, Title, UserId, limits};
use service::port::{Entropy, Failure, MembershipCopies, MembershipCopy, PushLog, PushRecord};
use service::{Caller, Event, GroupDraft, Openings, Sweep, Swept};
use testkit::world::{World, draft};

use crate::doubles::unwritable;
use crate::steps::{read, record, say};

fn nudges_heard_by(world: &World, id: &ConnectionId) -> Vec<i64> {
    let heard = world.pusher.heard_by(id).into_iter().filter_map(|event| match event {
        Event::Nudge { last_seq, .. } => Some(last_seq.0),
        _ => None,
    });
    heard.collect()
}

async fn later(world: &World, by: Duration) -> Swept {
    world.clock.advance(by);
    world.sweep().run().await.unwrap()
}

/// A group whose membership copies are missing: DynamoDB went away between the two.
async fn open_without_copies(world: &World, owner: Caller, other: Caller) {
    let client_id = ClientId(world.entropy.uuid_v7());
    let title = Title::parse("a group").unwrap();
    let group = GroupDraft { client_id, title, member_ids: vec![other.user_id()] };
    let openings = world.openings();
    let openings = Openings { telling: unwritable(&openings.telling), ..openings };
    assert!(openings.open_group(owner, group).await.is_err());
}

#[tokio::test]
async fn who_is_online_and_behind_is_nudged_three_times_and_nobody_else() {
    let world = World::new();
    let people = [world.person("ada").await, world.person("bob").await, world.person("c.c").await];
    let group = world.group(people[0], &people[1..]).await;
    let ada = world.socket(people[0], "ada").await;
    let bob = world.socket(people[1], "bob").await;
    say(&world, people[0], group, &[1]).await;
    read(&world, people[0], group, 2).await;
    record(&world).await;

    assert_eq!(later(&world, Duration::from_secs(1)).await.nudged, 0, "too early");
    for _ in 0..5 {
        later(&world, limits::NUDGE_AFTER).await;
    }
    assert_eq!(nudges_heard_by(&world, &bob), [2; 3]);
    assert!(nudges_heard_by(&world, &ada).is_empty(), "she has everything");

    say(&world, people[0], group, &[2]).await;
    later(&world, limits::NUDGE_AFTER).await;
    assert_eq!(nudges_heard_by(&world, &bob).len(), 3, "nothing more was delivered");
    read(&world, people[1], group, 2).await;
    record(&world).await;
    later(&world, limits::NUDGE_AFTER).await;
    assert_eq!(nudges_heard_by(&world, &bob), [2, 2, 2, 3], "bob is back: it counts anew");
    read(&world, people[1], group, 3).await;
    record(&world).await;
    later(&world, limits::NUDGE_AFTER).await;
    assert_eq!(nudges_heard_by(&world, &bob).len(), 4, "bob caught up");
}

#[tokio::test]
async fn nobody_is_nudged_for_what_the_last_heartbeat_told() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    say(&world, ada, group, &[1]).await;
    world.clock.advance(limits::NUDGE_UNTIL + Duration::from_secs(1));
    let phone = world.socket(bob, "bob").await;
    assert_eq!(later(&world, Duration::ZERO).await.nudged, 0);
    assert!(nudges_heard_by(&world, &phone).is_empty());
}

#[tokio::test]
async fn a_membership_copy_that_was_never_written_is_written_by_the_sweep() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    open_without_copies(&world, ada, bob).await;
    let group =
        world.catch_up().sync(ada, None, 50).await.unwrap().conversations[0].conversation.id;
    assert!(world.messages().send(bob, group, draft(1)).await.is_err());

    assert_eq!(later(&world, Duration::from_secs(1)).await.copies_repaired, 0, "still at it");
    assert_eq!(later(&world, limits::COPY_REPAIR_AFTER).await.copies_repaired, 2);
    world.messages().send(bob, group, draft(1)).await.unwrap();
    assert_eq!(later(&world, Duration::ZERO).await.copies_repaired, 0, "once is enough");
}

/// A table that refuses the copies of one person.
struct Refusing(std::sync::Arc<World>, UserId);

#[async_trait::async_trait]
impl MembershipCopies for Refusing {
    async fn write(&self, copies: &[MembershipCopy]) -> Result<(), Failure> {
        if copies.iter().any(|copy| copy.user_id == self.1) {
            return Err(Failure::bug("dynamodb", "a test refuses this one"));
        }
        self.0.live.write(copies).await
    }
}

#[tokio::test]
async fn a_copy_that_can_never_be_written_does_not_keep_the_others_from_it() {
    let world = std::sync::Arc::new(World::new());
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let eve = world.person("eve").await;
    open_without_copies(&world, eve, bob).await;
    for _ in 0..60 {
        world.clock.advance(Duration::from_millis(1));
        open_without_copies(&world, ada, bob).await;
    }
    world.clock.advance(limits::COPY_REPAIR_AFTER);
    let refusing = std::sync::Arc::new(Refusing(world.clone(), eve.user_id()));
    let sweep = Sweep { copies: refusing, ..world.sweep() };
    assert!(sweep.run().await.is_err(), "and it is said");
    assert!(world.live.membership_copies().len() >= 60);
}

#[tokio::test]
async fn a_weeks_traces_of_a_busy_system_are_forgotten_and_one_sweep_forgets_only_so_many() {
    let world = World::new();
    let round = limits::TRACES_PER_ROUND;
    let push = PushRecord {
        conversation_id: ConversationId(world.entropy.uuid_v7()),
        after: Seq(1),
        through: Seq(2),
        devices: 1,
        at: None,
    };
    let most = round * limits::TRACE_ROUNDS_PER_SWEEP;
    world.history.record(&vec![push; most + 1]).await.unwrap();
    assert_eq!(later(&world, Duration::ZERO).await.traces_forgotten, 0);
    let over = limits::TRACE_LIFETIME + Duration::from_secs(1);
    assert_eq!(later(&world, over).await.traces_forgotten, most as u64);
    assert_eq!(later(&world, Duration::ZERO).await.traces_forgotten, 1);
}

#[tokio::test]
async fn what_ended_a_month_ago_is_forgotten_and_one_sweep_forgets_only_so_many() {
    let world = World::new();
    let ada = world.person("ada").await;
    world.deliver_mails().await;
    let most = limits::ENDED_PER_ROUND * limits::ENDED_ROUNDS_PER_SWEEP;
    for number in 0..most {
        // A different account each, since an account has only so many tries.
        world.person(&format!("person{number}")).await;
    }
    assert_eq!(later(&world, Duration::ZERO).await.ended_forgotten, 0);
    world.sign_out().logout(ada).await.unwrap();
    assert_eq!(later(&world, limits::ENDED_LIFETIME).await.ended_forgotten, 0);
    let over = later(&world, Duration::from_secs(1)).await.ended_forgotten;
    assert_eq!(over, most as u64, "and the last one waits");
    assert_eq!(later(&world, Duration::ZERO).await.ended_forgotten, 1);
    let token_is_over = limits::EMAIL_TOKEN_LIFETIME;
    assert_eq!(later(&world, token_is_over).await.ended_forgotten, 1, "that of her mail");
}

#[tokio::test]
async fn one_part_of_a_sweep_that_fails_does_not_stop_the_others() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let group = world.group(ada, &[bob]).await;
    let phone = world.socket(bob, "bob").await;
    say(&world, ada, group, &[1]).await;
    open_without_copies(&world, ada, bob).await;
    world.clock.advance(limits::NUDGE_AFTER);
    world.live.set_down(true);
    assert!(world.sweep().run().await.is_err(), "the copies cannot be written");
    world.live.set_down(false);
    crate::steps::fan_out(&world).await;
    assert!(nudges_heard_by(&world, &phone).contains(&2), "the fan-out queue has it");
    let traced = world.traces().of_message(ada, group, Seq(2)).await.unwrap();
    assert_eq!(traced.pushed_devices, 1);

    world.clock.advance(limits::TRACE_LIFETIME + Duration::from_secs(1));
    world.live.set_down(true);
    let _ = world.sweep().run().await;
    let forgotten = world.traces().of_message(ada, group, Seq(2)).await.unwrap();
    assert_eq!((forgotten.pushed_devices, forgotten.pushed_at), (0, None));
}
