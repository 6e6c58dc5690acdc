//! Changes of a group of which nobody can be told in time.

use std::sync::Arc;
use std::time::Duration;

use domain::limits;
use service::port::GroupChange;
use service::{Event, Groups, Telling};
use testkit::world::World;
use tokio::time::timeout;

use crate::doubles::Stuck;
use crate::steps::fan_out;

/// Longer than any function has.
const NEVER: Duration = Duration::from_secs(60);

#[tokio::test]
async fn who_changes_a_group_is_answered_though_the_queue_is_not_and_the_sweep_tells() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let id = world.group(ada, &[]).await;
    let his = world.socket(bob, "bob").await;
    let groups = world.groups();
    let telling = Telling { fan_out: Arc::new(Stuck), ..groups.telling.clone() };
    let groups = Groups { telling, ..groups };
    let change = groups.change(ada, id, GroupChange::Add(vec![bob.user_id()]));
    let changed = timeout(NEVER, change).await.expect("an answer").unwrap();
    assert_eq!(changed.member_count, 2);
    assert_eq!(world.pusher.heard_by(&his), []);

    world.clock.advance(limits::COPY_REPAIR_AFTER * 2);
    world.sweep().run().await.unwrap();
    fan_out(&world).await;
    let nudge = Event::Nudge { conversation_id: id, last_seq: changed.last_seq };
    assert_eq!(world.pusher.heard_by(&his), [nudge]);
}
