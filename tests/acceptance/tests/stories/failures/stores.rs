//! Stores that are slow, gone, or heard of no more.

use std::time::Duration;

use harness::postgres::Cluster;
use harness::proxy::{Proxy, Weather};
use harness::{Options, State, aws_endpoint_url, eventually, test_database_url};
use tokio::time::sleep;

use super::throttle::Throttle;
use super::{HEALING, Lock, Stage};

const HEARTBEAT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn dynamodb_throttled() {
    let throttle = Throttle::before(&aws_endpoint_url().unwrap()).await;
    let options =
        Options { aws_endpoint_url: Some(throttle.url.clone()), ..Options::without_rate_limit() };
    let stage = Stage::on(options, HEARTBEAT).await;
    // First one that is accepted and committed, and whose members cannot be looked up.
    let lock = Lock::on(&stage, stage.room).await;
    let committed = stage.post(0, "committed");
    lock.until_waited_for(1).await;
    throttle.close();
    lock.release().await;
    stage.until_stored(committed).await;
    // Then those that nobody can be admitted with.
    stage.talk(3);
    let refused = || async { (throttle.refused() >= 20).then_some(()) };
    eventually("DynamoDB has refused 20 calls", HEALING, refused).await.unwrap();
    assert!(stage.devices.iter().all(|device| device.look(State::unaccepted) > 0));
    throttle.open();
    stage.talk(1);
    stage.assert_whole().await;
}

/// Of the deliveries after which a message that fails is set aside if the database is well.
const MORE_THAN_FIVE: u64 = 8;

/// What matters of the ten minutes is that messages are received again and again and keep their
/// order: the outage lasts until they were received more often than poison is. The simulation
/// has whole ones.
#[tokio::test]
async fn postgres_down_for_ten_minutes() {
    let cluster = Cluster::start().await.unwrap();
    let options = Options::without_rate_limit().on_postgres(cluster.url());
    let stage = Stage::on(options, HEARTBEAT).await;
    stage.talk(5);
    cluster.stop().await.unwrap();
    stage.talk(5);
    let invocations =
        || async { stage.system.functions().await.unwrap()["persist-messages"].invocations };
    let before = invocations().await;
    let often = || async { (invocations().await >= before + MORE_THAN_FIVE).then_some(()) };
    eventually("the messages came again and again", HEALING, often).await.unwrap();
    stage.talk(2);
    cluster.start_again().await.unwrap();
    stage.talk(2);
    stage.assert_whole().await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost() {
    let url = test_database_url().unwrap();
    let (proxy, through) = Proxy::before_url(&url).await.unwrap();
    let options = Options::without_rate_limit().on_postgres(&through);
    let mut stage = Stage::on(options, HEARTBEAT).await;
    stage.look_past(&url);
    let lock = Lock::on(&stage, stage.room).await;
    let lost = stage.post(0, "committed, and the worker does not know");
    lock.until_waited_for(1).await;
    proxy.set(Weather::Stalled);
    lock.release().await;
    stage.until_stored(lost).await;
    proxy.set(Weather::Cut);
    // Every connection has to see it.
    sleep(Duration::from_millis(500)).await;
    proxy.set(Weather::Clear);
    stage.talk(2);
    stage.assert_whole().await;
}
