//! What was set aside can be looked at, put back when its cause is gone, or thrown away.

use std::process::Command;
use std::time::Duration;

use harness::{Client, Device, State, System, WAIT, binaries_directory, eventually};
use serde_json::Value;
use uuid::Uuid;

use crate::emulator::waiting;
use crate::people::{a_pair, client_id, devices, draft, texts};
use crate::poison::{cure, poison};

/// Five receives with a growing delay between them, on a busy machine.
const UNTIL_QUARANTINE: Duration = Duration::from_secs(120);

struct Ran {
    code: Option<i32>,
    output: String,
}

/// What `scripts/quarantine` runs, for this stack.
async fn quarantine(system: &System, arguments: &[&str]) -> Ran {
    let mut command = Command::new(binaries_directory().unwrap().join("quarantine"));
    command.args(["--stack", system.stack()]).args(arguments);
    command.env("AWS_ENDPOINT_URL", system.aws_endpoint_url()).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let output = [ran.stdout, ran.stderr].concat();
    Ran { code: ran.status.code(), output: String::from_utf8(output).unwrap() }
}

/// The same until it is done. While somebody else looks, the other story for one, SQS shows a job
/// to nobody.
async fn quarantine_at_last(system: &System, arguments: &[&str]) -> String {
    let is_done = || async {
        let ran = quarantine(system, arguments).await;
        (ran.code == Some(0)).then_some(ran.output)
    };
    eventually(&format!("quarantine {arguments:?} is done"), WAIT, is_done).await.unwrap()
}

/// The one job of this conversation, as the list names it.
async fn job_of(system: &System, conversation: Uuid) -> Option<Value> {
    let ran = quarantine(system, &["list", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.output);
    let jobs = ran.output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut of_this = jobs.filter(|job| job["conversation_id"] == conversation.to_string());
    let found = of_this.next();
    assert!(of_this.next().is_none(), "the same job lies there twice");
    found
}

/// A pair with an app each, and a message of hers that was set aside.
struct Sick {
    ada: Client,
    bob: Client,
    conversation: Uuid,
    devices: Vec<Device>,
    text: String,
    id: String,
}

async fn a_quarantined_message(system: &System) -> Sick {
    let text = poison(system).await;
    let (ada, bob, conversation) = a_pair().await;
    let devices = devices([&ada, &bob], &[conversation]).await;
    let mut socket = ada.socket().await.unwrap();
    socket.be_patient(UNTIL_QUARANTINE);
    let poisoned = draft(&text);
    let frame = socket.send(conversation, std::slice::from_ref(&poisoned)).await.unwrap();
    socket.accepted(frame).await.unwrap();
    let told = socket.rejected(client_id(&poisoned)).await.unwrap();
    assert_eq!((told.code.as_str(), told.retryable), ("quarantined", true));
    let is_there = || job_of(system, conversation);
    let job = eventually("the job is on the list", WAIT, is_there).await.unwrap();
    assert_eq!(job["messages"], 1);
    assert!(!job.to_string().contains(&text), "the list shows what people wrote");
    let id = job["id"].as_str().unwrap().to_owned();
    Sick { ada, bob, conversation, devices, text, id }
}

#[tokio::test]
async fn what_was_set_aside_is_replayed_with_a_new_number_when_its_cause_is_gone() {
    let system = System::shared().await.unwrap();
    let Sick { ada, bob, conversation, devices, text, id } = a_quarantined_message(system).await;
    // The alarm's metric: something lies in the queue.
    let is_alarming =
        || async { (waiting(system, "quarantined-messages.fifo").await > 0).then_some(()) };
    eventually("the queue is not empty", WAIT, is_alarming).await.unwrap();
    let shown = quarantine_at_last(system, &["show", &id]).await;
    assert!(shown.contains(&text) && shown.contains(&ada.id().to_string()), "{shown}");

    // Life went on meanwhile.
    devices[1].post(conversation, "what did you want to say?");
    let went_on = |state: &State| state.cursor(conversation) == 1;
    devices[0].until("the next message", WAIT, went_on).await.unwrap();
    cure(system, &text).await;
    quarantine_at_last(system, &["replay", &id]).await;
    for device in &devices {
        let has_both = |state: &State| state.cursor(conversation) == 2;
        device.until("what was replayed", WAIT, has_both).await.unwrap();
        let shown = device.transcript(conversation);
        assert_eq!(texts(&shown), ["what did you want to say?", &text]);
        assert_eq!((shown[1].seq, shown[1].sender_id), (2, ada.id()));
    }
    assert_eq!(bob.history(conversation).await.unwrap(), devices[0].transcript(conversation));
    let again = quarantine(system, &["replay", &id]).await;
    assert_eq!(again.code, Some(1), "{}", again.output);
    assert_eq!(job_of(system, conversation).await, None);
}

#[tokio::test]
async fn what_was_dropped_is_gone_and_its_sender_may_send_it_again() {
    let system = System::shared().await.unwrap();
    let Sick { ada, conversation, devices, text, id, .. } = a_quarantined_message(system).await;
    let careless = quarantine(system, &["drop", &id]).await;
    assert_eq!(careless.code, Some(2), "{}", careless.output);
    quarantine_at_last(system, &["drop", &id, "--yes"]).await;
    assert_eq!(job_of(system, conversation).await, None);
    let missing = quarantine(system, &["show", &id]).await;
    assert_eq!(missing.code, Some(1), "{}", missing.output);
    cure(system, &text).await;
    ada.send(conversation, &draft(&text)).await.unwrap();
    let has_it = |state: &State| texts(state.transcript(conversation)) == [text.as_str()];
    devices[1].until("what was sent again", WAIT, has_it).await.unwrap();
}
