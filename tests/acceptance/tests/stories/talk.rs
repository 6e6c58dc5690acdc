//! People talk, and every device of everybody shows the same.

use harness::{Device, WAIT, unique_id};
use serde_json::json;
use uuid::Uuid;

use crate::people::{a_pair, assert_exactly_once, devices, draft, people, texts};

/// All devices show so many messages, the same ones, the same as history.
async fn assert_all_show(devices: &[Device], conversation: Uuid, count: usize) {
    for device in devices {
        let what = format!("{count} messages");
        let has_all = |state: &harness::State| state.transcript(conversation).len() >= count;
        device.until(&what, WAIT, has_all).await.unwrap();
    }
    let history = devices[0].client().history(conversation).await.unwrap();
    assert_eq!(history.len(), count);
    assert_exactly_once(&history);
    for device in devices {
        assert_eq!(device.transcript(conversation), history);
    }
}

#[tokio::test]
async fn two_people_with_two_devices_each_talk_in_a_direct_conversation() {
    let (ada, bob, conversation) = a_pair().await;
    let (ada_tablet, bob_tablet) =
        (ada.another_device().await.unwrap(), bob.another_device().await.unwrap());
    let devices = devices([&ada, &ada_tablet, &bob, &bob_tablet], &[conversation]).await;
    for round in 0..3 {
        for (index, device) in devices.iter().enumerate() {
            device.post(conversation, &format!("round {round} of device {index}"));
        }
    }
    assert_all_show(&devices, conversation, 12).await;
    assert!(devices.iter().all(|device| device.look(|state| state.unsettled()) == 0));
}

#[tokio::test]
async fn people_with_two_devices_each_talk_in_a_group() {
    let [ada, bob, cleo] = people(["ada", "bob", "cleo"]).await;
    let group = ada.open_group("Analytical engines", &[bob.id(), cleo.id()]).await.unwrap().id;
    let bob_tablet = bob.another_device().await.unwrap();
    let cleo_tablet = cleo.another_device().await.unwrap();
    let devices = devices([&ada, &bob, &bob_tablet, &cleo, &cleo_tablet], &[group]).await;
    for (index, device) in devices.iter().enumerate() {
        device.post(group, &format!("hello from device {index}"));
        device.post(group, &format!("and again from device {index}"));
    }
    // The group's creation is its first message.
    assert_all_show(&devices, group, 11).await;
    let first = &devices[0].transcript(group)[0];
    assert_eq!((first.seq, first.kind.as_str(), first.sender_id), (1, "system", ada.id()));
    assert_eq!(first.event.as_ref().unwrap().event_type, "conversation_created");
}

#[tokio::test]
async fn a_message_travels_from_a_socket_to_a_socket() {
    let (ada, bob, conversation) = a_pair().await;
    let (mut hers, mut his) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    let hello = draft("hello");
    let frame = hers.send(conversation, std::slice::from_ref(&hello)).await.unwrap();
    let accepted = hers.accepted(frame).await.unwrap();
    assert_eq!(accepted.conversation_id, conversation);
    for socket in [&mut hers, &mut his] {
        let push = socket.pushed(conversation).await.unwrap();
        assert_eq!((push.after, push.through), (0, 1));
        let [message] = push.messages.as_slice() else { panic!("{push:?}") };
        assert_eq!(message.sender_id, ada.id());
        assert_eq!(message.client_id, accepted.client_ids[0]);
        assert_eq!(message.text.as_deref(), Some("hello"));
    }
}

#[tokio::test]
async fn a_message_keeps_what_it_was_sent_with() {
    let (ada, bob, conversation) = a_pair().await;
    ada.send(conversation, &draft("first")).await.unwrap();
    let text = "\u{1F469}\u{200D}\u{1F680} @bob \u{202E}évil <script>alert('x')</script> '; --\n\t";
    let body = json!({
        "client_id": unique_id(), "text": text, "reply_to": 1, "kind": "text",
        "mentions": [{ "user_id": bob.id(), "start": 4, "length": 4 }],
        "sent_at": "2026-01-02T03:04:05.678Z", "sender_id": bob.id(), "seq": 99,
    });
    let path = format!("/v1/conversations/{conversation}/messages");
    let device = Device::start(&bob, &[conversation]).await.unwrap();
    ada.post(&path, &body).await.unwrap().expect_status(202).unwrap();
    let has_both = |state: &harness::State| state.transcript(conversation).len() == 2;
    device.until("both messages", WAIT, has_both).await.unwrap();
    let stored = &device.transcript(conversation)[1];
    assert_eq!(stored.text.as_deref(), Some(text));
    assert_eq!((stored.reply_to, stored.sender_id, stored.seq), (Some(1), ada.id(), 2));
    assert_eq!((stored.mentions[0].user_id, stored.mentions[0].start), (bob.id(), 4));
    assert_eq!(stored.sent_at.as_deref(), Some("2026-01-02T03:04:05.678Z"));
}

#[tokio::test]
async fn who_was_offline_misses_nothing() {
    let (ada, bob, conversation) = a_pair().await;
    let devices = devices([&ada, &bob], &[conversation]).await;
    let [hers, his] = devices.as_slice() else { panic!("two devices") };
    hers.post(conversation, "before");
    his.until("the first", WAIT, |s| s.transcript(conversation).len() == 1).await.unwrap();
    his.go_offline();
    his.until("offline", WAIT, |state| !state.is_online()).await.unwrap();
    his.post(conversation, "written in the tunnel");
    for number in 0..7 {
        hers.post(conversation, &format!("missed {number}"));
    }
    hers.until("her own", WAIT, |s| s.transcript(conversation).len() == 8).await.unwrap();
    his.go_online();
    assert_all_show(&devices, conversation, 9).await;
    assert_eq!(texts(&his.transcript(conversation)).last(), Some(&"written in the tunnel"));
}

#[tokio::test]
async fn a_group_with_more_sockets_than_one_worker_tells_is_told_by_the_fan_out() {
    let crowd = people([(); 13].map(|()| "crowd")).await;
    let others: Vec<_> = crowd[1..].iter().map(harness::Client::id).collect();
    let group = crowd[0].open_group("A crowd", &others).await.unwrap().id;
    let twice: Vec<_> = crowd.iter().chain(&crowd).collect();
    let devices = devices(twice, &[group]).await;
    devices[0].post(group, "can you all hear me?");
    devices[20].post(group, "yes");
    assert_all_show(&devices, group, 3).await;
}

#[tokio::test]
async fn a_heap_of_long_messages_arrives_in_frames_that_fit() {
    let (ada, bob, conversation) = a_pair().await;
    let devices = devices([&ada, &bob], &[conversation]).await;
    // Quotes double in JSON; 12 of these make several frames both ways.
    let long = "\"é".repeat(2_600);
    for _ in 0..12 {
        devices[0].post(conversation, &long);
    }
    assert_all_show(&devices, conversation, 12).await;
}
