//! What runs by itself: the workers behind the queues, the sweep, the clocks of the gateway.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::limits;
use protocol::job::PersistMessagesV1;
use service::PersistJob;
use service::port::{PersistLane, Receipt, RecordJob};
use testkit::live::ReceivedJob;
use tokio::time::Instant;

use crate::check::live;
use crate::invocation::{Patience, invoke};
use crate::plan::{Flavour, Mutation};
use crate::world::{World, lock, sleep_ms};

/// Pollers of the persist lane: its maximum concurrency, in small.
const PERSIST_WORKERS: usize = 6;
const FAN_OUT_WORKERS: usize = 3;
/// Of the worker's five seconds.
const PERSIST_TIME: Duration = Duration::from_millis(4_700);

pub fn start(world: &Arc<World>) {
    let under_way: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let workers = if world.plan.has_full_batches { 1 } else { PERSIST_WORKERS };
    for _ in 0..workers {
        tokio::spawn(persist(Arc::clone(world), Arc::clone(&under_way)));
    }
    for _ in 0..FAN_OUT_WORKERS {
        tokio::spawn(fan_out(Arc::clone(world)));
    }
    tokio::spawn(receipts(Arc::clone(world)));
    tokio::spawn(presence(Arc::clone(world)));
    tokio::spawn(sweep(Arc::clone(world)));
    tokio::spawn(watch(Arc::clone(world)));
}

/// A queue message as the worker's transport hands it over, with its body as it is in SQS.
fn job(received: ReceivedJob) -> PersistJob {
    let body = received.submissions.first().map(|first| {
        let drafts = received.submissions.iter().map(|one| &one.draft);
        let (id, sender) = (first.conversation_id, first.sender_id);
        PersistMessagesV1::new(id, sender, first.accepted_at, first.trace_id, drafts)
    });
    PersistJob {
        body: serde_json::to_string(&body).unwrap_or_default(),
        ..testkit::world::persist_job(received)
    }
}

async fn persist(world: Arc<World>, under_way: Arc<Mutex<BTreeSet<String>>>) {
    let idle_most_ms = if world.plan.flavour == Flavour::TwoHours { 10_000 } else { 1_000 };
    let mut idle_ms = 100;
    loop {
        let received = receive(&world).await;
        if received.is_empty() {
            if world.lane.lane_length() == 0 {
                world.lane_filled.notified().await;
            }
            sleep_ms(world.chance.between(10, idle_ms)).await;
            // Something may block its group for hours.
            idle_ms = (idle_ms * 2).min(idle_most_ms);
            continue;
        }
        idle_ms = 100;
        let receipts: Vec<Receipt> = received.iter().map(|job| job.receipt.clone()).collect();
        for receipt in &receipts {
            if !lock(&under_way).insert(receipt.message_id.clone()) {
                world.count("two invocations of one batch", "lane");
            }
        }
        if received.iter().any(|job| job.receives > 1) {
            world.count("redelivery", "lane");
        }
        if world.is_mutated(Mutation::DeleteFirst) {
            let _ = world.lane.delete(&receipts).await;
        }
        let jobs: Vec<PersistJob> = received.into_iter().map(job).collect();
        let failed = invoke(&world, "persist-messages", Patience::Persist, |ports| async move {
            ports.archive().persist(jobs, Instant::now() + PERSIST_TIME).await
        })
        .await;
        if let Some(failed) = failed {
            let is_done = |receipt: &&Receipt| !failed.contains(&receipt.message_id);
            let done: Vec<Receipt> = receipts.iter().filter(is_done).cloned().collect();
            if world.chance.roll(world.rates().fail_before) {
                world.count("batch not deleted", "lane");
            } else {
                // As with the platform: what it cannot delete comes again.
                let _ = world.lane.delete(&done).await;
            }
        }
        for receipt in &receipts {
            lock(&under_way).remove(&receipt.message_id);
        }
    }
}

/// Nobody knows what SQS puts together. The same as much as possible, again and again, is the
/// worst for what stands beside poison.
async fn receive(world: &World) -> Vec<ReceivedJob> {
    let most = limits::PERSIST_BATCH as u64;
    if world.plan.has_full_batches {
        sleep_ms(world.chance.between(200, 2_000)).await;
        return world.lane.receive(limits::PERSIST_BATCH);
    }
    world.lane.receive(usize::try_from(world.chance.between(1, most)).unwrap_or(1))
}

async fn fan_out(world: Arc<World>) {
    loop {
        let most = usize::try_from(world.chance.between(1, 5)).unwrap_or(1);
        let received = world.fan_out.receive(&world, most);
        if received.is_empty() {
            world.fan_out.wait(&world).await;
        }
        for (number, job) in received {
            let done = invoke(&world, "fan-out-events", Patience::Worker, |ports| async move {
                ports.fan_out().run(job).await.is_ok()
            });
            if done.await == Some(true) {
                world.fan_out.delete(number);
            }
        }
    }
}

async fn receipts(world: Arc<World>) {
    loop {
        world.receipts.wait(&world).await;
        sleep_ms(1_000).await;
        let received = world.receipts.receive(&world, limits::RECEIPTS_PER_BATCH);
        if received.is_empty() {
            continue;
        }
        let (numbers, claims): (Vec<u64>, Vec<_>) = received.into_iter().unzip();
        let done = invoke(&world, "record-receipts", Patience::Worker, |ports| async move {
            let jobs = claims.into_iter().map(RecordJob::Receipt).collect();
            ports.receipt_book().record(jobs).await.is_ok()
        });
        if done.await == Some(true) {
            numbers.into_iter().for_each(|number| world.receipts.delete(number));
        }
    }
}

async fn presence(world: Arc<World>) {
    loop {
        world.presence.wait(&world).await;
        for (number, user) in world.presence.receive(&world, 10) {
            let done = invoke(&world, "announce-presence", Patience::Worker, |ports| async move {
                ports.presence_announcements().announce(user).await.is_ok()
            });
            if done.await == Some(true) {
                world.presence.delete(number);
            }
        }
    }
}

async fn sweep(world: Arc<World>) {
    loop {
        sleep_ms(60_000).await;
        invoke(&world, "sweep-up", Patience::Worker, |ports| async move {
            // What fails is done by the next one.
            let _ = ports.sweep().run().await;
        })
        .await;
    }
}

/// The gateway's own limits, the alarm on the quarantine, and a look at who can be told.
async fn watch(world: Arc<World>) {
    loop {
        sleep_ms(5_000).await;
        world.gateway.end_the_old(&world);
        live::i11_no_live_connection_is_deaf(&world);
        if !world.lane.quarantined().is_empty() {
            world.book.write(|r| r.alarms += 1);
        }
    }
}
