//! A message is followed from its sender to its readers, in the database and in the log.

use std::path::PathBuf;
use std::time::Duration;

use domain::Timestamp;
use harness::faults::Faults;
use harness::{
    Client, Device, Options, State, System, WAIT, eventually, now_unix_ms, root_directory,
};
use protocol::body::{MessageTrace, TracedMember};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{a_pair, devices, draft, people, people_on};

async fn trace(client: &Client, conversation: Uuid, seq: i64) -> MessageTrace {
    let path = format!("/v1/conversations/{conversation}/messages/{seq}/trace");
    client.get(&path).await.unwrap().expect(200).unwrap()
}

/// The trace, once it is such as `is_so` wants it.
async fn trace_when(
    client: &Client,
    conversation: Uuid,
    seq: i64,
    within: Duration,
    is_so: impl Fn(&MessageTrace) -> bool,
) -> harness::Result<MessageTrace> {
    let look = || async { Some(trace(client, conversation, seq).await).filter(&is_so) };
    eventually("the way is noted", within, look).await
}

fn is_of(moments: &[TracedMember], user: Uuid) -> bool {
    moments.iter().any(|moment| moment.user_id == user)
}

/// Notes of pushes are not waited for by the lane, and one that takes long is lost.
const MESSAGES_MOST: i64 = 8;
const UNTIL_NOTED: Duration = Duration::from_secs(5);

/// A message that all of these have, and of which it is noted that it was pushed to each of them
/// once, and not after the second of them had it: a push is dated by who made it, and not by who
/// noted it. Where a note is lost, or a push that was slow is made again, the next message is
/// looked at.
async fn a_message_noted_as_pushed(devices: &[Device], conversation: Uuid) -> i64 {
    let everybody = u32::try_from(devices.len()).unwrap();
    let mut seen = Vec::new();
    for seq in 1..=MESSAGES_MOST {
        devices[0].post(conversation, "where are you?");
        let has_it = |state: &State| state.cursor(conversation) == seq;
        devices[1].until("the message", WAIT, has_it).await.unwrap();
        let had_at = now_unix_ms();
        for device in devices {
            device.until("the message", WAIT, has_it).await.unwrap();
        }
        let is_noted = |trace: &MessageTrace| trace.pushed.devices == everybody;
        let sender = devices[0].client();
        let noted = trace_when(sender, conversation, seq, UNTIL_NOTED, is_noted).await;
        let pushed_at = noted.ok().and_then(|trace| trace.pushed.first_at).map(|at| unix_ms(&at));
        if pushed_at.is_some_and(|pushed_at| pushed_at <= had_at) {
            return seq;
        }
        seen.push((pushed_at, had_at));
    }
    panic!("no push to {everybody} devices is noted when it was made: {seen:?}");
}

fn unix_ms(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().unix_ms()
}

#[tokio::test]
async fn a_message_is_followed_from_its_sender_to_its_reader() {
    let (ada, bob, conversation) = a_pair().await;
    let tablet = bob.another_device().await.unwrap();
    let devices = devices([&ada, &bob, &tablet], &[conversation]).await;
    let seq = a_message_noted_as_pushed(&devices, conversation).await;
    // Her own app may be in the list too: it claims what it has, now or later.
    let is_delivered = |trace: &MessageTrace| is_of(&trace.delivered, bob.id());
    let before = trace_when(&ada, conversation, seq, WAIT, is_delivered).await.unwrap();
    assert_eq!(before.read, []);
    devices[2].mark_read(conversation, seq);
    let is_read = |trace: &MessageTrace| !trace.read.is_empty();
    let trace = trace_when(&ada, conversation, seq, WAIT, is_read).await.unwrap();
    assert_eq!((trace.conversation_id, trace.seq), (conversation, seq));
    let (first, last) = (trace.pushed.first_at.unwrap(), trace.pushed.last_at.unwrap());
    assert_eq!((trace.read.len(), trace.read[0].user_id), (1, bob.id()));
    let delivered = trace.delivered.iter().find(|moment| moment.user_id == bob.id()).unwrap();
    // Times of one shape are ordered as their text is.
    let times = [&trace.accepted_at, &trace.stored_at, &delivered.at, &trace.read[0].at];
    assert!(times.is_sorted(), "{times:?}");
    // None of them is dated before the commit, nor, as was seen above, when it was noted.
    let times = [&trace.accepted_at, &trace.stored_at, &first, &last];
    assert!(times.is_sorted(), "{times:?}");
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
    let is_read = |trace: &MessageTrace| !trace.read.is_empty();
    let trace = trace_when(&ada, conversation, 1, WAIT, is_read).await.unwrap();
    let trace_id = trace.trace_id.unwrap().to_string();
    let expected = ["fan-out-events", "persist-messages", "socket-message"];
    let all_logged =
        || async { (functions_that_logged(&system, &trace_id) == expected).then_some(()) };
    let logged = eventually("all three have logged it", WAIT, all_logged).await;
    assert!(logged.is_ok(), "only {:?}", functions_that_logged(&system, &trace_id));
    let log = std::fs::read_to_string(log_of(&system)).unwrap();
    assert!(!log.contains("a secret"), "the log has what people wrote");
}
