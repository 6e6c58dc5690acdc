//! A lost push is repaired: by the sweep, and by the next heartbeat.

use std::time::Duration;

use harness::faults::Faults;
use harness::{Client, Device, Options, State, System, WAIT, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::until_stored;
use crate::people::{draft, people_on};

/// The rule of the template that starts the sweep.
const SWEEP: &str = "/_gateway/schedules/SweepStragglersSchedule";

/// From now on nothing new is pushed; the poster is told that it was.
async fn lose_every_push(faults: &Faults) -> u64 {
    let rule = json!({ "fault": "push.drop", "frame_type": "message.new" });
    faults.add(&rule).await.unwrap()
}

async fn a_pair_on(system: &System) -> (Client, Client, Uuid) {
    let [ada, bob] = people_on(&system.api().unwrap(), ["ada", "bob"]).await;
    let conversation = ada.open_direct(bob.id()).await.unwrap().id;
    (ada, bob, conversation)
}

/// So many pushes were lost on their way.
async fn until_lost(faults: &Faults, count: u64) {
    let is_lost = || async { (faults.fired().await.unwrap() >= count).then_some(()) };
    eventually("the pushes get lost", WAIT, is_lost).await.unwrap();
}

#[tokio::test]
async fn a_push_that_was_lost_is_repaired_by_the_sweep() {
    let options = Options::without_rate_limit().with_faults().with("NudgeAfterSeconds", "1");
    let system = System::start(options).await.unwrap();
    let faults = Faults::of(&system).unwrap();
    let (ada, bob, conversation) = a_pair_on(&system).await;
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    lose_every_push(&faults).await;
    ada.send(conversation, &draft("did you get that?")).await.unwrap();
    until_stored(&ada, conversation, 1).await;
    until_lost(&faults, 1).await;
    assert_eq!(his.transcript(conversation), [], "the push was not lost");

    let nudged = || async {
        let swept = system.api().unwrap().post(SWEEP, &Value::Null).await.unwrap();
        swept.expect_status(200).unwrap();
        (his.look(|state| state.cursor(conversation)) == 1).then_some(())
    };
    // New messages still do not come through: a nudge does.
    eventually("he was nudged and has it", Duration::from_secs(60), nudged).await.unwrap();
    assert_eq!(his.transcript(conversation), ada.history(conversation).await.unwrap());
}

#[tokio::test]
async fn a_push_that_was_lost_is_repaired_by_the_next_heartbeat() {
    let system = System::start(Options::without_rate_limit().with_faults()).await.unwrap();
    let faults = Faults::of(&system).unwrap();
    let (ada, bob, conversation) = a_pair_on(&system).await;
    let heartbeat = Duration::from_secs(2);
    let his = Device::start_with(&bob, &[conversation], 7, heartbeat).await.unwrap();
    let rule = lose_every_push(&faults).await;
    for number in 1..=3 {
        ada.send(conversation, &draft(&format!("number {number}"))).await.unwrap();
    }
    until_stored(&ada, conversation, 3).await;
    let has_all = |state: &State| state.cursor(conversation) == 3;
    his.until("all of it by its heartbeat", WAIT, has_all).await.unwrap();
    assert!(faults.fired().await.unwrap() > 0, "no push was lost");
    faults.remove(rule).await.unwrap();
    ada.send(conversation, &draft("and on")).await.unwrap();
    his.until("the next one", WAIT, |s: &State| s.cursor(conversation) == 4).await.unwrap();
    assert_eq!(his.transcript(conversation), ada.history(conversation).await.unwrap());
}
