//! One total order for everybody; one device's own order in it.

use std::time::Duration;

use harness::{Device, State, WAIT};
use uuid::Uuid;

use crate::people::{a_pair, assert_exactly_once, devices, people};

/// Enough for 500 messages on a machine that does other things too.
const LONG: Duration = Duration::from_secs(180);

async fn post_in_order(device: &Device, conversation: Uuid, count: usize) -> Vec<Uuid> {
    (0..count).map(|number| device.post(conversation, &format!("number {number}"))).collect()
}

#[tokio::test]
async fn five_hundred_messages_of_ten_people_are_in_one_order_on_every_device_and_in_history() {
    let crowd = people([(); 10].map(|()| "poet")).await;
    let others: Vec<_> = crowd[1..].iter().map(harness::Client::id).collect();
    let group = crowd[0].open_group("Five hundred", &others).await.unwrap().id;
    let readers = [&crowd[0], &crowd[1]];
    let devices = devices(crowd.iter().chain(readers), &[group]).await;
    let mut posted = Vec::new();
    for device in &devices[..10] {
        posted.push(post_in_order(device, group, 50).await);
    }
    let has_all = |state: &State| state.transcript(group).len() > 500;
    for device in &devices {
        device.until("501 messages", LONG, has_all).await.unwrap();
    }
    let history = crowd[0].history(group).await.unwrap();
    assert_eq!(history.len(), 501);
    assert_exactly_once(&history);
    for device in &devices {
        assert_eq!(device.transcript(group), history);
    }
    for (poet, posted) in crowd.iter().zip(posted) {
        let theirs = history.iter().filter(|m| m.sender_id == poet.id() && m.kind == "text");
        assert_eq!(theirs.map(|m| m.client_id).collect::<Vec<_>>(), posted);
    }
}

#[tokio::test]
async fn the_order_of_one_device_is_kept_though_its_socket_is_cut_again_and_again() {
    let (ada, bob, conversation) = a_pair().await;
    let devices = devices([&ada, &bob], &[conversation]).await;
    let mut posted = Vec::new();
    for _ in 0..4 {
        posted.extend(post_in_order(&devices[0], conversation, 15).await);
        devices[0].cut_socket();
        let shown = posted.len() - 10;
        let is_shown = |state: &State| state.transcript(conversation).len() >= shown;
        devices[1].until("most of it", WAIT, is_shown).await.unwrap();
    }
    let has_all = |state: &State| state.transcript(conversation).len() == 60;
    for device in &devices {
        device.until("all 60", LONG, has_all).await.unwrap();
        let shown = device.transcript(conversation);
        assert_exactly_once(&shown);
        assert_eq!(shown.iter().map(|m| m.client_id).collect::<Vec<_>>(), posted);
    }
}
