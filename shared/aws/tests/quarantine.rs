//! People look after what was set aside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod emulator;

use aws::jobs::{decode_persist, encode_persist};
use aws::quarantine::{Look, Outcome, Quarantine, Queues, line, shown};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use emulator::scripted::scripted;
use emulator::{clients, queues};
use serde_json::json;
use service::port::{PersistLane, Quarantined};
use testkit::ambient::{SeededEntropy, at_ms};
use testkit::contract::live::sample::{conversation, submission};

/// A quarantine with its lane, both empty.
struct Scene {
    client: Client,
    queues: Queues,
    lane: aws::SqsPersistLane,
    desk: Quarantine,
}

impl Scene {
    async fn new() -> Self {
        let client = clients().await.sqs();
        let persist_url = queues::create(&client, "messages-to-persist.fifo").await;
        let quarantine_url = queues::create(&client, "quarantined-messages.fifo").await;
        let entropy = SeededEntropy::new(1);
        let lane = aws::SqsPersistLane::new(client.clone(), &persist_url, &quarantine_url, entropy);
        let queues = Queues { quarantine_url, persist_url };
        let desk = Quarantine::new(client.clone(), queues.clone());
        Self { client, queues, lane, desk }
    }

    async fn set_aside(&self, in_conversation: u128, body: &str) {
        let conversation_id = Some(conversation(in_conversation));
        let (body, reason) = (body.to_owned(), "the database said no".to_owned());
        let job = Quarantined { conversation_id, body, reason, at: at_ms(7) };
        self.lane.quarantine(job).await.unwrap();
    }

    /// What is on the lane now, hidden from now on.
    async fn on_the_lane(&self) -> Vec<Message> {
        let mut found = Vec::new();
        for _ in 0..10 {
            let receive = self.client.receive_message().queue_url(&self.queues.persist_url);
            let receive = receive
                .max_number_of_messages(10)
                .message_system_attribute_names(MessageSystemAttributeName::All);
            let some = receive.send().await.unwrap().messages.unwrap_or_default();
            if some.is_empty() {
                break;
            }
            found.extend(some);
        }
        found
    }
}

fn job(in_conversation: u128, number: u128) -> String {
    encode_persist(&[submission(in_conversation, number)]).unwrap()
}

fn ids(look: &Look) -> Vec<String> {
    look.found.iter().map(|job| job.id.clone()).collect()
}

#[tokio::test]
async fn who_looks_takes_nothing_away() {
    let scene = Scene::new().await;
    assert_eq!(scene.desk.look().await.unwrap().count, 0);
    scene.set_aside(1, &job(1, 1)).await;
    scene.set_aside(2, &job(2, 1)).await;
    let first = scene.desk.look().await.unwrap();
    let second = scene.desk.look().await.unwrap();
    assert_eq!((ids(&first).len(), first.count), (2, 2));
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(first.found[0].conversation_id, Some(conversation(1).to_string()));
    assert_eq!(first.found[0].quarantined_at, Some(at_ms(7).to_string()));
}

#[tokio::test]
async fn a_list_tells_why_and_only_a_closer_look_what_people_wrote() {
    let scene = Scene::new().await;
    scene.set_aside(1, &job(1, 1)).await;
    let look = scene.desk.look().await.unwrap();
    for as_json in [false, true] {
        let listed = line(&look.found[0], as_json);
        assert!(listed.contains("the database said no") && !listed.contains("message 1"));
        let shown = shown(&look.found[0], as_json);
        assert!(shown.contains("message 1"), "{shown}");
    }
    assert_eq!(line(&look.found[0], false).split_whitespace().nth(3), Some("1"));
}

#[tokio::test]
async fn a_replayed_job_is_on_its_lane_and_not_in_the_quarantine() {
    let scene = Scene::new().await;
    scene.set_aside(1, &job(1, 1)).await;
    scene.set_aside(2, &job(2, 1)).await;
    let id = ids(&scene.desk.look().await.unwrap()).swap_remove(0);
    assert_eq!(scene.desk.replay(&id).await.unwrap(), Some(Outcome::Replayed));
    assert_eq!(scene.desk.replay(&id).await.unwrap(), None);
    let lane = scene.on_the_lane().await;
    let [message] = &lane[..] else { panic!("{} on the lane", lane.len()) };
    let submissions = decode_persist(message.body.as_deref().unwrap()).unwrap();
    assert_eq!(submissions, [submission(1, 1)]);
    let attributes = message.attributes.as_ref().unwrap();
    let group = &attributes[&MessageSystemAttributeName::MessageGroupId];
    assert_eq!(*group, conversation(1).to_string());
    assert_eq!(ids(&scene.desk.look().await.unwrap()).len(), 1);
}

/// The lane took it a moment ago, so a deduplication id of before would let it vanish.
#[tokio::test]
async fn a_job_that_is_set_aside_again_can_be_replayed_again() {
    let scene = Scene::new().await;
    for _ in 0..2 {
        scene.set_aside(1, &job(1, 1)).await;
        let id = ids(&scene.desk.look().await.unwrap()).swap_remove(0);
        assert_eq!(scene.desk.replay(&id).await.unwrap(), Some(Outcome::Replayed));
        let lane = scene.on_the_lane().await;
        assert_eq!(lane.len(), 1);
        let delete = scene.client.delete_message().queue_url(&scene.queues.persist_url);
        let handle = lane[0].receipt_handle.as_deref().unwrap();
        delete.receipt_handle(handle).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_job_that_nobody_can_read_is_refused_and_stays() {
    let scene = Scene::new().await;
    scene.set_aside(1, "{\"text\": \"secret\"}").await;
    let id = ids(&scene.desk.look().await.unwrap()).swap_remove(0);
    let Some(Outcome::Refused(why)) = scene.desk.replay(&id).await.unwrap() else {
        panic!("not refused")
    };
    assert!(!why.contains("secret"), "{why}");
    assert_eq!(scene.on_the_lane().await.len(), 0);
    assert_eq!(ids(&scene.desk.look().await.unwrap()), [id]);
}

#[tokio::test]
async fn all_are_replayed_in_their_order_and_the_unreadable_stay() {
    let scene = Scene::new().await;
    for number in 1..=25 {
        scene.set_aside(1, &job(1, number)).await;
    }
    scene.set_aside(2, "no job").await;
    scene.set_aside(3, &job(3, 1)).await;
    let (outcomes, ended) = scene.desk.replay_all().await;
    ended.unwrap();
    let replayed = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Replayed);
    assert_eq!((replayed.count(), outcomes.len()), (26, 27));
    let left = scene.desk.look().await.unwrap();
    assert_eq!((left.found.len(), left.count), (1, 1));
    assert_eq!(left.found[0].body, "no job");
    let bodies = scene.on_the_lane().await.into_iter().filter_map(|message| message.body);
    let numbers: Vec<_> = bodies
        .map(|body| decode_persist(&body).unwrap().swap_remove(0))
        .filter(|submission| submission.conversation_id == conversation(1))
        .map(|submission| submission.draft.client_id)
        .collect();
    assert!(numbers.is_sorted() && !numbers.is_empty(), "{numbers:?}");
}

#[tokio::test]
async fn what_is_dropped_is_gone_and_the_others_stay() {
    let scene = Scene::new().await;
    scene.set_aside(1, "no job").await;
    scene.set_aside(2, &job(2, 1)).await;
    let id = ids(&scene.desk.look().await.unwrap()).swap_remove(0);
    assert_eq!(scene.desk.throw_away(&id).await.unwrap(), Some(Outcome::Dropped));
    assert_eq!(scene.desk.throw_away("no-such-id").await.unwrap(), None);
    assert_eq!(scene.desk.look().await.unwrap().count, 1);
    let (outcomes, ended) = scene.desk.throw_all_away().await;
    ended.unwrap();
    assert!(matches!(&outcomes[..], [(_, Outcome::Dropped)]));
    assert_eq!(scene.desk.look().await.unwrap().count, 0);
    assert_eq!(scene.on_the_lane().await.len(), 0);
}

#[tokio::test]
async fn the_queues_of_a_stack_are_found_by_their_names() {
    let client = clients().await.sqs();
    let stack = emulator::unique("stack");
    let missing = Queues::of_stack(&client, &stack).await.unwrap_err();
    let why = std::error::Error::source(&missing).unwrap().to_string();
    assert!(why.contains(&format!("{stack}-quarantined-messages.fifo")), "{why}");
    for name in ["quarantined-messages.fifo", "messages-to-persist.fifo"] {
        let create = client.create_queue().queue_name(format!("{stack}-{name}"));
        let fifo = aws_sdk_sqs::types::QueueAttributeName::FifoQueue;
        create.attributes(fifo, "true").send().await.unwrap();
    }
    let queues = Queues::of_stack(&client, &stack).await.unwrap();
    assert!(queues.quarantine_url.ends_with(&format!("{stack}-quarantined-messages.fifo")));
    assert!(queues.persist_url.ends_with(&format!("{stack}-messages-to-persist.fifo")));
}

#[test]
fn the_template_names_the_queues_as_they_are_looked_for() {
    let template = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    for name in ["quarantined-messages.fifo", "messages-to-persist.fifo"] {
        assert!(template.contains(&format!("QueueName: !Sub ${{AWS::StackName}}-{name}")));
    }
}

/// SQS answers one receive and then fails.
#[tokio::test]
async fn what_was_done_before_a_failure_is_told() {
    let message = |id: &str| json!({"MessageId": id, "ReceiptHandle": id, "Body": job(1, 1)});
    let messages = json!({"Messages": [message("a"), message("b"), message("c")]});
    let ok = || (200, json!({"MessageId": "1"}));
    let refused = (400, json!({"__type": "com.amazonaws.sqs#OverLimit"}));
    let mut answers = vec![(200, messages), ok(), ok()];
    answers.extend(vec![refused; 3]);
    answers.push((200, json!({"Successful": [], "Failed": []})));
    let service = scripted(answers).await;
    let quarantine_url = "http://127.0.0.1/quarantine.fifo".to_owned();
    let persist_url = "http://127.0.0.1/lane.fifo".to_owned();
    let queues = Queues { quarantine_url, persist_url };
    let desk = Quarantine::new(service.clients.sqs(), queues);
    let (outcomes, ended) = desk.replay_all().await;
    assert_eq!(outcomes, [("a".to_owned(), Outcome::Replayed)]);
    assert!(ended.is_err());
    let calls = service.calls();
    let (last, given_back) = calls.last().unwrap();
    assert_eq!(last, "ChangeMessageVisibilityBatch");
    assert_eq!(given_back["Entries"].as_array().unwrap().len(), 2);
}
