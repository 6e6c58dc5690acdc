//! The end of an account, and what somebody may take along.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::{ConnectionId, ConversationId, EmailAddress, Role, Timestamp, UserId, limits};
use service::port::{ConnectionStore, ConversationStore, Erasure, Failure, LiveErasure, SendGate};
use service::{Caller, Connection, Departures, Erasures, Hangup, Identity, Page, SignedIn};
use testkit::world::{PASSWORD, World, caller, login, registration};

use crate::steps::{code, farewell, password, say};

struct Scene {
    world: World,
    ada: SignedIn,
    bob: Caller,
    id: ConversationId,
}

/// Ada, who has a group with Bob and said something in it.
async fn scene() -> Scene {
    let world = World::new();
    let ada = world.registrations().register(registration("ada")).await.unwrap();
    let bob = world.person("bob").await;
    let id = world.group(caller(&ada), &[bob]).await;
    say(&world, caller(&ada), id, &[1]).await;
    Scene { world, ada, bob, id }
}

impl Scene {
    async fn leave(&self) {
        self.world.departures().leave(caller(&self.ada), password(PASSWORD), None).await.unwrap();
    }

    async fn work(&self) -> Result<(), Failure> {
        for (user, email) in self.world.queues.drain_erasures() {
            self.world.erasures().run(user, &email).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn who_leaves_is_out_at_once_and_signs_in_no_more() {
    let scene = scene().await;
    let socket = scene.world.socket(caller(&scene.ada), "phone").await;
    scene.leave().await;
    assert_eq!(farewell(&scene.world, &socket), Some("account_erased"));
    let error = scene.world.sessions().refresh(&scene.ada.refresh_token).await.err().unwrap();
    assert_eq!(code(&error), "refresh_token_invalid");
    let error = scene.world.tickets().issue(caller(&scene.ada)).await.unwrap_err();
    assert_eq!(code(&error), "unauthenticated");
    for name in ["ada", "ada@example.org"] {
        let error = scene.world.accounts().login(login(name, PASSWORD)).await.err().unwrap();
        assert_eq!(code(&error), "invalid_credentials");
    }
    scene.work().await.unwrap();
    assert!(scene.world.registrations().register(registration("ada")).await.is_ok(), "it is free");
}

#[tokio::test]
async fn what_was_said_stays_under_a_deleted_user() {
    let scene = scene().await;
    scene.leave().await;
    scene.work().await.unwrap();
    assert_eq!(scene.world.texts(scene.id), ["message 1"]);
    let shown = scene.world.profiles().user(caller(&scene.ada).user_id()).await.unwrap();
    assert_eq!(shown.display_name.as_str(), "Deleted user");
    let page = Page { cursor: None, limit: 10 };
    let members = scene.world.history.members(scene.bob.user_id(), scene.id, page).await.unwrap();
    let members = members.unwrap().0;
    assert_eq!((members.len(), members[0].role), (1, Role::Owner), "somebody else owns it now");
}

#[tokio::test]
async fn the_erased_may_not_send_once_the_job_is_done() {
    let scene = scene().await;
    scene.leave().await;
    scene.work().await.unwrap();
    let ada = caller(&scene.ada).user_id();
    assert!(!scene.world.live.is_member(ada, scene.id).await.unwrap());
}

#[tokio::test]
async fn a_request_ends_the_account_and_the_job_leaves_the_conversations() {
    let scene = scene().await;
    let count = async || {
        let seen = scene.world.history.get(scene.bob.user_id(), scene.id).await.unwrap();
        seen.unwrap().member_count
    };
    scene.leave().await;
    assert_eq!(count().await, 2, "there may be thousands");
    scene.work().await.unwrap();
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn an_export_without_an_end_is_slowed_down() {
    let scene = scene().await;
    let exports = scene.world.exports();
    for _ in 0..limits::EXPORT_PARTS_PER_MINUTE {
        exports.part(caller(&scene.ada), None).await.unwrap();
    }
    let error = exports.part(caller(&scene.ada), None).await.unwrap_err();
    assert_eq!(code(&error), "too_many");
    exports.part(scene.bob, None).await.unwrap();
}

#[tokio::test]
async fn leaving_needs_the_password() {
    let scene = scene().await;
    let departures = scene.world.departures();
    for _ in 0..limits::LOGINS_PER_MINUTE {
        let wrong = departures.leave(caller(&scene.ada), password("wrong password"), None).await;
        assert_eq!(code(&wrong.unwrap_err()), "wrong_password");
    }
    let again = departures.leave(caller(&scene.ada), password(PASSWORD), None).await;
    assert_eq!(code(&again.unwrap_err()), "too_many", "it is not guessed");
    assert_eq!(scene.world.queues.drain_erasures(), []);
    assert!(scene.world.sessions().refresh(&scene.ada.refresh_token).await.is_ok());
}

#[tokio::test]
async fn an_account_whose_erasure_cannot_be_queued_stays_whole() {
    let scene = scene().await;
    scene.world.queues.set_down(true);
    let departures = scene.world.departures();
    let error = departures.leave(caller(&scene.ada), password(PASSWORD), None).await.unwrap_err();
    assert_eq!(code(&error), "unavailable");
    assert!(scene.world.accounts().login(login("ada", PASSWORD)).await.is_ok());
}

#[tokio::test]
async fn a_job_finishes_what_the_request_could_not() {
    let scene = scene().await;
    let email = EmailAddress::parse("ada@example.org").unwrap();
    let ada = caller(&scene.ada).user_id();
    let socket = scene.world.socket(caller(&scene.ada), "phone").await;
    // As if the process had ended right after it queued the job; and the job comes twice.
    for _ in 0..2 {
        scene.world.erasures().run(ada, &email).await.unwrap();
    }
    assert_eq!(farewell(&scene.world, &socket), Some("account_erased"));
    assert!(scene.world.accounts().login(login("ada", PASSWORD)).await.is_err());
}

/// Sockets that cannot be ended until a test says so.
struct Unreachable(Arc<World>, AtomicBool);

#[async_trait]
impl ConnectionStore for Unreachable {
    async fn open(&self, connection: &Connection) -> Result<bool, Failure> {
        self.0.live.open(connection).await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        ConnectionStore::get(&*self.0.live, id).await
    }

    async fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        self.0.live.touch(id, now).await
    }

    async fn close(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        self.0.live.close(id, now).await
    }

    async fn prune(&self, connection: &Connection) -> Result<(), Failure> {
        self.0.live.prune(connection).await
    }

    async fn end_session(
        &self,
        identity: Identity,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        if self.1.load(Ordering::SeqCst) {
            return Err(Failure::unavailable("dynamodb", "a test took it down"));
        }
        self.0.live.end_session(identity, now).await
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Connection>, Failure> {
        ConnectionStore::of_users(&*self.0.live, users, now).await
    }
}

/// The request and the first tries of the job erase the account and do not reach its sockets.
#[tokio::test]
async fn sockets_that_could_not_be_ended_are_ended_by_a_later_try() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let group = world.group(ada, &[]).await;
    let socket = world.socket(ada, "phone").await;
    let ticket = world.tickets().issue(ada).await.unwrap();
    let unreachable = Arc::new(Unreachable(world.clone(), AtomicBool::new(true)));
    let hangup = || Hangup { connections: unreachable.clone(), ..world.hangup() };
    let departures = Departures { hangup: hangup(), ..world.departures() };
    let error = departures.leave(ada, password(PASSWORD), None).await.unwrap_err();
    assert_eq!(code(&error), "unavailable");
    assert!(world.accounts().login(login("ada", PASSWORD)).await.is_err(), "it is erased");
    let (user, email) = world.queues.drain_erasures().remove(0);
    let job = Erasures { hangup: hangup(), ..world.erasures() };
    for _ in 0..2 {
        assert!(job.run(user, &email).await.is_err(), "it comes round again");
        assert_eq!(farewell(&world, &socket), None);
    }
    assert!(!world.live.is_member(user, group).await.unwrap(), "that keeps her in nothing");
    unreachable.1.store(false, Ordering::SeqCst);
    job.run(user, &email).await.unwrap();
    assert_eq!(farewell(&world, &socket), Some("account_erased"));
    let late = ConnectionId::parse("late").unwrap();
    assert!(world.upgrades().connect(late, &ticket).await.is_err(), "a ticket was out");
    assert_eq!(world.history.residue(user, &email).await.unwrap(), []);
}

#[tokio::test]
async fn a_session_that_has_ended_ends_no_account() {
    let scene = scene().await;
    scene.world.sign_out().logout(caller(&scene.ada)).await.unwrap();
    let departures = scene.world.departures();
    let error = departures.leave(caller(&scene.ada), password(PASSWORD), None).await.unwrap_err();
    assert_eq!(code(&error), "unauthenticated");
    assert_eq!(scene.world.queues.drain_erasures(), []);
    assert!(scene.world.accounts().login(login("ada", PASSWORD)).await.is_ok());
}

#[tokio::test]
async fn the_erased_are_not_shown_to_themselves() {
    let scene = scene().await;
    scene.leave().await;
    let me = scene.world.profiles().me(caller(&scene.ada)).await;
    assert_eq!(code(&me.unwrap_err()), "unauthenticated", "an access token lives on");
}

/// A table from which nothing goes.
struct Stubborn;

#[async_trait]
impl LiveErasure for Stubborn {
    async fn erase(&self, _: UserId, _: Timestamp) -> Result<(), Failure> {
        Ok(())
    }

    async fn residue(&self, _: UserId) -> Result<Vec<(&'static str, u64)>, Failure> {
        Ok(vec![("presence", 1)])
    }
}

#[tokio::test]
async fn residue_sends_the_job_round_again_and_says_what_is_left() {
    let scene = scene().await;
    scene.leave().await;
    let (user, email) = scene.world.queues.drain_erasures().remove(0);
    let stubborn = Erasures { live: Arc::new(Stubborn), ..scene.world.erasures() };
    let Err(Failure::Unavailable { source, .. }) = stubborn.run(user, &email).await else {
        panic!("it is not erased");
    };
    assert!(source.to_string().contains("presence 1"), "{source}");
    assert!(!source.to_string().contains("ada"), "no name in a log");
    scene.world.erasures().run(user, &email).await.unwrap();
}

#[tokio::test]
async fn an_outage_sends_the_job_round_again() {
    let scene = scene().await;
    scene.leave().await;
    let (user, email) = scene.world.queues.drain_erasures().remove(0);
    scene.world.live.set_down(true);
    assert!(scene.world.erasures().run(user, &email).await.is_err());
    scene.world.live.set_down(false);
    scene.world.erasures().run(user, &email).await.unwrap();
}

#[tokio::test]
async fn somebody_takes_their_own_data_along() {
    let scene = scene().await;
    say(&scene.world, scene.bob, scene.id, &[2]).await;
    let (mut values, mut sections, mut cursor) = (vec![], vec![], None::<String>);
    loop {
        let exports = scene.world.exports();
        let part = exports.part(caller(&scene.ada), cursor.as_deref()).await.unwrap();
        sections.push(part.section);
        let found = part.records.into_iter().flatten().filter_map(|(_, value)| value);
        values.extend(found);
        cursor = part.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    sections.dedup();
    assert_eq!(sections.first(), Some(&"profile"));
    for own in ["ada@example.org", "message 1"] {
        assert!(values.iter().any(|value| value == own), "{own}");
    }
    for others in ["bob@example.org", "message 2"] {
        assert!(!values.iter().any(|value| value == others), "{others}");
    }
    assert!(scene.world.exports().part(caller(&scene.ada), Some("\u{0}")).await.is_err());
    // A token that is still out takes nothing along once the session has ended.
    scene.world.sign_out().logout(caller(&scene.ada)).await.unwrap();
    let late = scene.world.exports().part(caller(&scene.ada), None).await;
    assert_eq!(code(&late.unwrap_err()), "unauthenticated");
}
