//! Ending many sockets, where some of it fails or takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::{ConnectionId, Timestamp, UserId};
use service::port::{ConnectionStore, Failure};
use service::{Connection, Device, Hangup, Identity, Login, Revocations};
use testkit::world::{PASSWORD, World, caller, login, registration};

use crate::steps::{code, farewell};

/// Forgets no connection, and takes its time for ending a session.
struct Sluggish {
    world: Arc<World>,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

impl Sluggish {
    fn new(world: &Arc<World>) -> Arc<Self> {
        let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { world: world.clone(), under_way, most })
    }

    fn hangup(self: &Arc<Self>) -> Hangup {
        Hangup { connections: self.clone(), ..self.world.hangup() }
    }
}

#[async_trait]
impl ConnectionStore for Sluggish {
    async fn open(&self, connection: &Connection) -> Result<bool, Failure> {
        self.world.live.open(connection).await
    }

    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure> {
        self.world.live.get(id).await
    }

    async fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Connection>, Failure> {
        self.world.live.touch(id, now).await
    }

    async fn close(&self, _: &ConnectionId, _: Timestamp) -> Result<Option<Connection>, Failure> {
        Err(Failure::unavailable("dynamodb", "a test says so"))
    }

    async fn prune(&self, connection: &Connection) -> Result<(), Failure> {
        self.world.live.prune(connection).await
    }

    async fn end_session(
        &self,
        identity: Identity,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure> {
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(under_way, Ordering::SeqCst);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.world.live.end_session(identity, now).await
    }

    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Connection>, Failure> {
        self.world.live.of_users(users, now).await
    }
}

#[tokio::test]
async fn a_socket_is_closed_though_it_cannot_be_forgotten() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let phone = world.socket(ada, "phone").await;
    let hangup = Sluggish::new(&world).hangup();
    let error = hangup.end_session(ada.identity(), "signed_out").await.unwrap_err();
    assert_eq!(code(&error), "unavailable");
    assert_eq!(farewell(&world, &phone), Some("signed_out"));
}

#[tokio::test]
async fn many_sessions_are_ended_side_by_side_and_not_all_at_once() {
    let world = Arc::new(World::new());
    let phone = world.registrations().register(registration("ada")).await.unwrap();
    let mut sockets = vec![];
    for number in 0..25 {
        world.clock.advance(std::time::Duration::from_secs(10));
        let device = Device { name: Some(format!("device {number}")), address: None };
        let attempt = Login { device, ..login("ada", PASSWORD) };
        let signed_in = world.accounts().login(attempt).await.unwrap();
        if number % 5 == 0 {
            sockets.push(world.socket(caller(&signed_in), &format!("socket-{number}")).await);
        }
    }
    let sluggish = Sluggish::new(&world);
    let revocations = Revocations { hangup: sluggish.hangup(), ..world.revocations() };
    let error = revocations.revoke_others(caller(&phone)).await.unwrap_err();
    assert_eq!(code(&error), "unavailable");
    for socket in &sockets {
        assert_eq!(farewell(&world, socket), Some("session_revoked"), "one failure spares nobody");
    }
    let most = sluggish.most.load(Ordering::SeqCst);
    assert_eq!(most, 10, "at once");
}
