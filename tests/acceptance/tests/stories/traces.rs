//! A message is followed from its sender to its readers, in the database and in the log.

use std::path::PathBuf;

use harness::faults::Faults;
use harness::{Client, Device, Options, State, System, WAIT, eventually, root_directory};
use protocol::body::MessageTrace;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{a_pair, devices, draft, people, people_on};

async fn trace(client: &Client, conversation: Uuid, seq: i64) -> MessageTrace {
    let path = format!("/v1/conversations/{conversation}/messages/{seq}/trace");
    client.get(&path).await.unwrap().expect(200).unwrap()
}

/// The trace, once so many members have read it.
async fn trace_read_by(client: &Client, conversation: Uuid, readers: usize) -> MessageTrace {
    let is_read = || async {
        let trace = trace(client, conversation, 1).await;
        (trace.read.len() == readers && trace.pushed.devices > 0).then_some(trace)
    };
    eventually("the whole way is noted", WAIT, is_read).await.unwrap()
}

#[tokio::test]
async fn a_message_is_followed_from_its_sender_to_its_reader() {
    let (ada, bob, conversation) = a_pair().await;
    let tablet = bob.another_device().await.unwrap();
    let devices = devices([&ada, &bob, &tablet], &[conversation]).await;
    devices[0].post(conversation, "where are you?");
    for device in &devices {
        let has_it = |state: &State| state.cursor(conversation) == 1;
        device.until("the message", WAIT, has_it).await.unwrap();
    }
    let delivered = || async {
        let trace = trace(&ada, conversation, 1).await;
        (trace.delivered.len() == 1).then_some(trace)
    };
    let before = eventually("the delivery is noted", WAIT, delivered).await.unwrap();
    assert_eq!(before.read, []);
    devices[2].mark_read(conversation, 1);
    let trace = trace_read_by(&ada, conversation, 1).await;
    assert_eq!((trace.conversation_id, trace.seq), (conversation, 1));
    assert_eq!(trace.pushed.devices, 3);
    let (first, last) = (trace.pushed.first_at.unwrap(), trace.pushed.last_at.unwrap());
    assert_eq!((trace.delivered[0].user_id, trace.read[0].user_id), (bob.id(), bob.id()));
    // Times of one shape are ordered as their text is.
    let (delivered, read) = (&trace.delivered[0].at, &trace.read[0].at);
    let times = [&trace.accepted_at, &trace.stored_at, &first, delivered, read];
    assert!(times.is_sorted(), "{times:?}");
    assert!(first <= last);
    assert!(trace.trace_id.is_some());
}

#[tokio::test]
async fn only_its_sender_sees_the_trace_of_a_message() {
    let (ada, bob, conversation) = a_pair().await;
    let [eve] = people(["eve"]).await;
    ada.send(conversation, &draft("mine")).await.unwrap();
    crate::calls::until_stored(&ada, conversation, 1).await;
    let path = |seq: &str| format!("/v1/conversations/{conversation}/messages/{seq}/trace");
    for (client, seq) in [(&bob, "1"), (&eve, "1"), (&ada, "2")] {
        let answer = client.get(&path(seq)).await.unwrap();
        answer.expect_status(404).unwrap();
    }
    for seq in ["0", "-1", "x"] {
        let answer = ada.get(&path(seq)).await.unwrap();
        answer.expect_problem(422, "validation_failed").unwrap();
    }
    let unseen = trace(&ada, conversation, 1).await;
    assert_eq!((unseen.pushed.devices, unseen.pushed.first_at), (0, None));
    assert!(unseen.delivered.is_empty() && unseen.read.is_empty());
}

/// Where a running system logs.
fn log_of(system: &System) -> PathBuf {
    root_directory().join("target/acceptance-logs").join(format!("{}.log", system.stack()))
}

/// The functions in whose log lines this stands.
fn functions_that_logged(system: &System, text: &str) -> Vec<String> {
    let log = std::fs::read_to_string(log_of(system)).unwrap();
    let lines = log.lines().filter(|line| line.contains(text));
    let mut names: Vec<_> = lines.filter_map(function_of).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What the gateway writes before a JSON line is not looked at.
fn function_of(line: &str) -> Option<String> {
    let json: Value = serde_json::from_str(line.get(line.find('{')?..)?).ok()?;
    let of_span = |span: &Value| span["service"].as_str().map(str::to_owned);
    let spans = json["spans"].as_array().and_then(|spans| spans.iter().find_map(of_span));
    spans.or_else(|| of_span(&json))
}

#[tokio::test]
async fn one_trace_id_stands_in_the_log_of_every_function_that_had_the_message() {
    let system = System::start(Options::without_rate_limit().with_faults()).await.unwrap();
    let [ada, bob] = people_on(&system.api().unwrap(), ["ada", "bob"]).await;
    let conversation = ada.open_direct(bob.id()).await.unwrap().id;
    let hers = Device::start(&ada, &[conversation]).await.unwrap();
    let his = Device::start(&bob, &[conversation]).await.unwrap();
    // One push fails, so that the fan-out gets it.
    let fails = json!({
        "fault": "push.status", "status": 500, "frame_type": "message.new", "times": 4,
    });
    let faults = Faults::of(&system).unwrap();
    faults.add(&fails).await.unwrap();
    hers.post(conversation, "a secret that no log may hold");
    for device in [&hers, &his] {
        let has_it = |state: &State| state.cursor(conversation) == 1;
        device.until("the message", WAIT * 3, has_it).await.unwrap();
    }
    his.mark_read(conversation, 1);
    let trace = trace_read_by(&ada, conversation, 1).await;
    let trace_id = trace.trace_id.unwrap().to_string();
    let expected = ["fan-out-events", "persist-messages", "socket-message"];
    let all_logged =
        || async { (functions_that_logged(&system, &trace_id) == expected).then_some(()) };
    let logged = eventually("all three have logged it", WAIT, all_logged).await;
    assert!(logged.is_ok(), "only {:?}", functions_that_logged(&system, &trace_id));
    let log = std::fs::read_to_string(log_of(&system)).unwrap();
    assert!(!log.contains("a secret"), "the log has what people wrote");
}
