//! Running a group: who hears of what, and what is true when telling fails.

use std::sync::Arc;

use domain::{ConnectionId, ConversationId, EventType, Role, Title, UserId, limits};
use service::port::{GroupChange, GroupEdit, SendGate, Upkeep};
use service::{Caller, Error, Event, Groups, Preferences, Telling};
use testkit::world::World;
use uuid::Uuid;

use crate::doubles::{Stuck, unwritable};
use crate::steps::{code, fan_out, news, say};

struct Scene {
    world: World,
    ada: Caller,
    bob: Caller,
    cleo: Caller,
    id: ConversationId,
}

/// Ada's group with Bob, and Cleo who is not in it.
async fn scene() -> Scene {
    let world = World::new();
    let ada = world.person("ada").await;
    let (bob, cleo) = (world.person("bob").await, world.person("cleo").await);
    let id = world.group(ada, &[bob]).await;
    Scene { world, ada, bob, cleo, id }
}

impl Scene {
    async fn change(&self, who: Caller, change: GroupChange) -> Result<(), Error> {
        self.world.groups().change(who, self.id, change).await.map(|_| ())
    }

    async fn socket(&self, who: Caller, name: &str) -> ConnectionId {
        self.world.socket(who, name).await
    }

    async fn sweep_later(&self) {
        self.world.clock.advance(limits::COPY_REPAIR_AFTER * 2);
        self.world.sweep().run().await.unwrap();
        fan_out(&self.world).await;
    }

    async fn may_send(&self, who: Caller) -> bool {
        self.world.live.is_member(who.user_id(), self.id).await.unwrap()
    }
}

fn rename(title: &str) -> GroupChange {
    let title = Some(Title::parse(title).unwrap());
    GroupChange::Edit(GroupEdit { title, ..GroupEdit::default() })
}

/// What was heard, in a few words each.
fn words(events: &[Event]) -> Vec<String> {
    let of_messages = |messages: &[domain::Message]| {
        let event = |message: &domain::Message| {
            let event = message.event.as_ref().unwrap();
            event.event_type.as_str().to_owned()
        };
        messages.iter().map(event).collect::<Vec<_>>().join(" ")
    };
    let word = |event: &Event| match event {
        Event::ConversationChanged { conversation } => {
            format!("changed: {} members", conversation.member_count)
        }
        Event::MessagesNew { messages, .. } => format!("told: {}", of_messages(messages)),
        Event::ConversationRemoved { .. } => "removed".to_owned(),
        other => panic!("{other:?}"),
    };
    events.iter().map(word).collect()
}

fn removed(user: Caller) -> GroupChange {
    GroupChange::Remove(user.user_id())
}

fn added(user: Caller) -> GroupChange {
    GroupChange::Add(vec![user.user_id()])
}

#[tokio::test]
async fn members_hear_of_a_newcomer_and_so_does_the_newcomer() {
    let scene = scene().await;
    let (bob, cleo) =
        (scene.socket(scene.bob, "bob").await, scene.socket(scene.cleo, "cleo").await);
    scene.change(scene.ada, added(scene.cleo)).await.unwrap();
    fan_out(&scene.world).await;
    for socket in [&bob, &cleo] {
        let heard = words(&scene.world.pusher.heard_by(socket));
        assert_eq!(heard, ["changed: 3 members", "told: members_added"], "{socket}");
    }
    assert!(scene.may_send(scene.cleo).await, "the copy is written before the answer");
}

#[tokio::test]
async fn who_is_removed_hears_that_and_nothing_after_it() {
    let scene = scene().await;
    let (ada, bob) = (scene.socket(scene.ada, "ada").await, scene.socket(scene.bob, "bob").await);
    scene.change(scene.ada, removed(scene.bob)).await.unwrap();
    assert!(!scene.may_send(scene.bob).await);
    fan_out(&scene.world).await;
    let mut heard = 0;
    assert_eq!(words(&news(&scene.world, &bob, &mut heard)), ["removed"]);
    let told = words(&scene.world.pusher.heard_by(&ada));
    assert_eq!(told, ["changed: 1 members", "told: member_removed"]);
    say(&scene.world, scene.ada, scene.id, &[1]).await;
    scene.change(scene.ada, rename("without Bob")).await.unwrap();
    fan_out(&scene.world).await;
    assert_eq!(news(&scene.world, &bob, &mut heard), [], "they lose live events at once");
}

#[tokio::test]
async fn a_message_that_waits_while_its_sender_is_removed_is_rejected() {
    let scene = scene().await;
    let bob = scene.socket(scene.bob, "bob").await;
    scene.world.submit(scene.bob, scene.id, &[1]).await;
    scene.change(scene.ada, removed(scene.bob)).await.unwrap();
    assert!(scene.world.work(&scene.world.archive()).await.is_empty());
    fan_out(&scene.world).await;
    assert_eq!(scene.world.texts(scene.id), [""; 0]);
    let heard = scene.world.pusher.heard_by(&bob);
    let is_rejected = |event: &Event| matches!(event, Event::MessageRejected { .. });
    assert!(heard.iter().any(is_rejected), "{heard:?}");
}

#[tokio::test]
async fn a_change_of_several_fields_is_told_in_one_frame() {
    let scene = scene().await;
    let bob = scene.socket(scene.bob, "bob").await;
    let edit = GroupEdit {
        title: Some(Title::parse("engines").unwrap()),
        shares_history: Some(true),
        ..GroupEdit::default()
    };
    scene.change(scene.ada, GroupChange::Edit(edit)).await.unwrap();
    fan_out(&scene.world).await;
    let heard = words(&scene.world.pusher.heard_by(&bob));
    assert_eq!(heard, ["changed: 2 members", "told: title_changed history_changed"]);
}

#[tokio::test]
async fn what_changes_nothing_is_not_told() {
    let scene = scene().await;
    let role = GroupChange::SetRole { user_id: scene.bob.user_id(), role: Role::Member };
    for change in [added(scene.bob), rename("a group"), role] {
        scene.change(scene.ada, change).await.unwrap();
        assert_eq!(scene.world.queues.drain_fan_out(), []);
    }
}

#[tokio::test]
async fn everybody_hears_that_a_group_is_gone() {
    let scene = scene().await;
    let (ada, bob) = (scene.socket(scene.ada, "ada").await, scene.socket(scene.bob, "bob").await);
    scene.change(scene.ada, GroupChange::Delete).await.unwrap();
    fan_out(&scene.world).await;
    for (who, socket) in [(scene.ada, &ada), (scene.bob, &bob)] {
        assert_eq!(words(&scene.world.pusher.heard_by(socket)), ["removed"]);
        assert!(!scene.may_send(who).await, "its copies lost against those of the opening");
    }
}

#[tokio::test]
async fn a_group_of_many_is_told_through_jobs_of_a_hundred() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut others = vec![];
    for number in 0..150 {
        others.push(world.person(&format!("person{number}")).await);
    }
    let id = world.group(ada, &others).await;
    world.groups().change(ada, id, rename("a crowd")).await.unwrap();
    assert_eq!(world.queues.drain_fan_out().len(), 4, "two events for two hundreds");
}

#[tokio::test]
async fn a_committed_change_is_answered_with_yes_though_nobody_can_be_told() {
    let scene = scene().await;
    scene.world.queues.set_down(true);
    scene.change(scene.ada, added(scene.cleo)).await.unwrap();
    assert!(scene.may_send(scene.cleo).await);
    scene.world.queues.set_down(false);
    let members = scene.world.history.active_members(scene.id);
    assert!(members.contains(&scene.cleo.user_id()));
}

#[tokio::test]
async fn copies_that_could_not_be_written_are_written_by_the_sweep() {
    let scene = scene().await;
    let groups = scene.world.groups();
    let groups = Groups { telling: unwritable(&groups.telling), ..groups };
    groups.change(scene.ada, scene.id, removed(scene.bob)).await.unwrap();
    assert!(scene.may_send(scene.bob).await, "the copy is old, and only turns the hopeless away");
    scene.sweep_later().await;
    assert!(!scene.may_send(scene.bob).await);
    assert_eq!(scene.world.history.unconfirmed_copies(10).await.unwrap(), []);
}

#[tokio::test]
async fn copies_that_were_written_are_not_written_again() {
    let scene = scene().await;
    scene.change(scene.ada, removed(scene.bob)).await.unwrap();
    scene.world.clock.advance(limits::COPY_REPAIR_AFTER * 2);
    assert_eq!(scene.world.history.unconfirmed_copies(10).await.unwrap(), []);
}

#[tokio::test]
async fn nothing_is_told_of_what_was_not_committed() {
    let scene = scene().await;
    scene.world.history.set_down(true);
    let error = scene.change(scene.ada, removed(scene.bob)).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(scene.world.queues.drain_fan_out(), []);
    assert!(scene.may_send(scene.bob).await);
}

#[tokio::test]
async fn every_refusal_has_a_name() {
    let scene = scene().await;
    let role = |user: Caller, role| GroupChange::SetRole { user_id: user.user_id(), role };
    let cases = [
        (scene.cleo, GroupChange::Leave, "conversation_not_found"),
        (scene.ada, removed(scene.cleo), "member_not_found"),
        (scene.bob, rename("Bob's"), "not_allowed"),
        (scene.bob, removed(scene.ada), "not_allowed"),
        (scene.ada, GroupChange::Leave, "last_owner"),
        (scene.ada, role(scene.ada, Role::Member), "last_owner"),
    ];
    for (who, change, expected) in cases {
        let error = scene.change(who, change.clone()).await.unwrap_err();
        assert_eq!(code(&error), expected, "{change:?}");
    }
    scene.world.blocking().block(scene.cleo, scene.ada.user_id()).await.unwrap();
    let error = scene.change(scene.ada, added(scene.cleo)).await.unwrap_err();
    assert_eq!(code(&error), "not_allowed");
    assert_eq!(scene.world.queues.drain_fan_out(), []);
}

#[tokio::test]
async fn people_who_do_not_exist_are_named_by_their_place() {
    let scene = scene().await;
    let nobody = UserId(Uuid::from_u128(7));
    let change = GroupChange::Add(vec![scene.cleo.user_id(), nobody]);
    let Error::Invalid(fields) = scene.change(scene.ada, change).await.unwrap_err() else {
        panic!("it is the request that is wrong");
    };
    let named: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.code)).collect();
    assert_eq!(named, [("user_ids[1]", "user_not_found")]);
}

#[tokio::test]
async fn a_group_that_is_full_says_so() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut others = vec![];
    for number in 1..limits::MEMBERS_PER_GROUP {
        others.push(world.person(&format!("person{number}")).await);
    }
    let late = world.person("late").await;
    let id = world.group(ada, &others).await;
    let error = world.groups().change(ada, id, added(late)).await.unwrap_err();
    assert_eq!(code(&error), "group_full");
}

#[tokio::test]
async fn who_joins_later_is_shown_nothing_from_before() {
    let scene = scene().await;
    say(&scene.world, scene.ada, scene.id, &[1, 2]).await;
    scene.change(scene.ada, added(scene.cleo)).await.unwrap();
    say(&scene.world, scene.ada, scene.id, &[3]).await;
    let window = service::Window::Newest;
    let page = scene.world.history().page(scene.cleo, scene.id, window, 50).await.unwrap();
    let kinds: Vec<_> = page.items.iter().map(|message| message.event.is_some()).collect();
    assert_eq!(kinds, [true, false], "their own joining and what was said since");
    let event = page.items[0].event.as_ref().unwrap();
    assert_eq!(event.event_type, EventType::MembersAdded);
}

#[tokio::test]
async fn a_hidden_conversation_is_out_of_the_list_until_somebody_writes() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let opened = world.openings().open_direct(ada, bob.user_id()).await.unwrap();
    let id = opened.conversation.id;
    world.groups().delete(ada, id).await.unwrap();
    let list = async |who| {
        let page = service::Page { cursor: None, limit: 10 };
        world.conversations().list(who, page).await.unwrap().items.len()
    };
    assert_eq!((list(ada).await, list(bob).await), (0, 1));
    say(&world, bob, id, &[1]).await;
    assert_eq!(list(ada).await, 1);
    let nowhere = ConversationId(Uuid::from_u128(1));
    let error = world.groups().delete(ada, nowhere).await.unwrap_err();
    assert_eq!(code(&error), "conversation_not_found");
    let group = world.group(ada, &[bob]).await;
    let error = world.groups().delete(bob, group).await.unwrap_err();
    assert_eq!(code(&error), "not_allowed", "a group is not hidden, it ends");
    world.groups().delete(ada, group).await.unwrap();
    assert!(world.history.active_members(group).is_empty());
}

/// Each is told to everybody by messages, and counts as one of the actor's.
#[tokio::test]
async fn nobody_changes_groups_without_end() {
    let scene = scene().await;
    let role = |role| GroupChange::SetRole { user_id: scene.bob.user_id(), role };
    for number in 0..limits::MESSAGES_BURST {
        let change = match number % 4 {
            0 => rename(&format!("title {number}")),
            1 => added(scene.cleo),
            2 => removed(scene.cleo),
            _ => role(if number % 8 == 3 { Role::Admin } else { Role::Member }),
        };
        scene.change(scene.ada, change).await.unwrap();
    }
    let changes = [rename("once more"), added(scene.cleo), removed(scene.bob), role(Role::Owner)];
    for change in changes.into_iter().chain([GroupChange::Delete, GroupChange::Leave]) {
        let error = scene.change(scene.ada, change.clone()).await.unwrap_err();
        assert!(matches!(error, Error::TooMany { retry_after_ms: 1.. }), "{change:?}");
    }
    let error = scene.world.groups().delete(scene.ada, scene.id).await.unwrap_err();
    assert!(matches!(error, Error::TooMany { .. }), "{error:?}");
    scene.change(scene.bob, GroupChange::Leave).await.unwrap();
    scene.world.clock.advance(std::time::Duration::from_secs(1));
    scene.change(scene.ada, rename("once more")).await.unwrap();
}

#[tokio::test]
async fn preferences_are_for_members() {
    let scene = scene().await;
    let wish = Preferences { pinned: Some(true), ..Preferences::default() };
    assert!(scene.world.preference_book().prefer(scene.bob, scene.id, wish).await.unwrap().pinned);
    let error = scene.world.preference_book().prefer(scene.cleo, scene.id, wish).await.unwrap_err();
    assert_eq!(code(&error), "conversation_not_found");
    assert_eq!(scene.world.queues.drain_fan_out(), [], "they are nobody else's business");
}

#[tokio::test]
async fn members_are_told_though_the_copies_take_too_long_and_newcomers_when_they_may_speak() {
    let scene = scene().await;
    let socket = scene.socket(scene.bob, "bob").await;
    let hers = scene.socket(scene.cleo, "cleo").await;
    let groups = scene.world.groups();
    let telling = Telling { copies: Arc::new(Stuck), ..groups.telling.clone() };
    let groups = Groups { telling, ..groups };
    let add = GroupChange::Add(vec![scene.cleo.user_id()]);
    let changed = groups.change(scene.ada, scene.id, add).await.unwrap();
    assert_eq!(changed.member_count, 3);
    fan_out(&scene.world).await;
    let heard = words(&scene.world.pusher.heard_by(&socket));
    assert_eq!(heard, ["changed: 3 members", "told: members_added"]);
    assert!(!scene.may_send(scene.cleo).await);
    assert_eq!(scene.world.pusher.heard_by(&hers), [], "what she said would be refused");
    scene.sweep_later().await;
    assert!(scene.may_send(scene.cleo).await, "the sweep writes them");
    let heard = scene.world.pusher.heard_by(&hers);
    let nudge = Event::Nudge { conversation_id: scene.id, last_seq: changed.last_seq };
    assert_eq!(heard, [nudge], "and tells her");
    scene.sweep_later().await;
    assert_eq!(scene.world.pusher.heard_by(&hers).len(), 1, "once");
}

#[tokio::test]
async fn who_comes_or_goes_while_nobody_can_be_told_is_told_by_the_sweep() {
    let scene = scene().await;
    let (his, hers) =
        (scene.socket(scene.bob, "bob").await, scene.socket(scene.cleo, "cleo").await);
    scene.world.queues.set_down(true);
    scene.change(scene.ada, removed(scene.bob)).await.unwrap();
    scene.change(scene.ada, added(scene.cleo)).await.unwrap();
    assert!(scene.may_send(scene.cleo).await && !scene.may_send(scene.bob).await);
    scene.world.queues.set_down(false);
    scene.sweep_later().await;
    let is_out = Event::ConversationRemoved { conversation_id: scene.id };
    assert_eq!(scene.world.pusher.heard_by(&his), [is_out]);
    let heard = scene.world.pusher.heard_by(&hers);
    assert!(matches!(heard[..], [Event::Nudge { .. }]), "{heard:?}");
}
