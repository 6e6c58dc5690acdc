//! The same message sent again is the same message.

use std::collections::BTreeSet;

use futures::future::join_all;
use harness::{Socket, WAIT, eventually, text_draft, unique_id};
use protocol::frame::{Messages, Said};
use uuid::Uuid;

use crate::calls::seq_pushed;
use crate::people::{a_pair, client_id, draft};

/// The next push that ends at this number or after it: an earlier one that was slow comes twice.
async fn pushed_through(socket: &mut Socket, conversation: Uuid, through: i64) -> Messages {
    loop {
        let push = socket.pushed(conversation).await.unwrap();
        if push.through >= through {
            return push;
        }
    }
}

#[tokio::test]
async fn a_message_sent_again_over_either_way_is_stored_once_and_pushed_with_the_same_seq() {
    let (ada, bob, conversation) = a_pair().await;
    let (mut hers, mut his) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    ada.send(conversation, &draft("something before")).await.unwrap();
    his.pushed(conversation).await.unwrap();
    let first = draft("the first content wins");
    let id = client_id(&first);
    let frame = hers.send(conversation, &[first]).await.unwrap();
    hers.accepted(frame).await.unwrap();
    assert_eq!(seq_pushed(&mut his, conversation, id).await, 2);
    let again = text_draft(id, "another content under the same name");
    ada.send(conversation, &again).await.unwrap();
    let push = pushed_through(&mut his, conversation, 2).await;
    assert_eq!((push.after, push.through), (1, 2));
    let frame = hers.send(conversation, &[again]).await.unwrap();
    hers.accepted(frame).await.unwrap();
    let push = pushed_through(&mut his, conversation, 2).await;
    assert_eq!((push.after, push.through), (1, 2));
    assert_eq!(push.messages[0].text.as_deref(), Some("the first content wins"));
    assert_eq!(ada.history(conversation).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_message_sent_many_times_at_once_is_stored_once() {
    let (ada, bob, conversation) = a_pair().await;
    let tablet = ada.another_device().await.unwrap();
    let mut his = bob.socket().await.unwrap();
    let mut sockets = [ada.socket().await.unwrap(), tablet.socket().await.unwrap()];
    let message = draft("at once");
    // One person's sends at the same instant may be asked to wait, and come again.
    let insist = || async {
        for _ in 0..20 {
            match ada.send(conversation, &message).await {
                Err(refused) if refused.to_string().contains("too_many_requests") => {
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
                answered => return answered.unwrap().accepted,
            }
        }
        false
    };
    let over_http = join_all((0..6).map(|_| insist()));
    let over_sockets = join_all(sockets.iter_mut().map(|socket| async {
        let mut accepted = 0;
        while accepted < 3 {
            let frame = socket.send(conversation, std::slice::from_ref(&message)).await.unwrap();
            match socket.answer_to(frame).await.unwrap() {
                Said::MessageAccepted(_) => accepted += 1,
                Said::Error(error) if error.code == "too_many_requests" => {
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
                other => panic!("not accepted, but {other:?}"),
            }
        }
    }));
    let (sent, _) = tokio::join!(over_http, over_sockets);
    assert!(sent.into_iter().all(|accepted| accepted));
    let last = draft("the last");
    ada.send(conversation, &last).await.unwrap();
    // Every push until the last message's tells the same number.
    let mut numbers = BTreeSet::new();
    loop {
        let push = his.pushed(conversation).await.unwrap();
        numbers.extend(push.messages.iter().map(|m| (m.seq, m.client_id)));
        if push.messages.iter().any(|m| m.client_id == client_id(&last)) {
            break;
        }
    }
    assert_eq!(numbers, BTreeSet::from([(1, client_id(&message)), (2, client_id(&last))]));
    assert_eq!(ada.history(conversation).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_message_that_stands_in_one_frame_twice_is_stored_once() {
    let (ada, bob, conversation) = a_pair().await;
    let (mut hers, mut his) = (ada.socket().await.unwrap(), bob.socket().await.unwrap());
    let (one, other) = (draft("one"), draft("other"));
    let twice = text_draft(client_id(&one), "one again");
    let frame = hers.send(conversation, &[one.clone(), other.clone(), twice]).await.unwrap();
    let accepted = hers.accepted(frame).await.unwrap();
    assert!(accepted.client_ids.contains(&client_id(&one)));
    assert_eq!(seq_pushed(&mut his, conversation, client_id(&one)).await, 1);
    let has_both = || async {
        let history = bob.history(conversation).await.unwrap();
        (history.len() >= 2).then_some(history)
    };
    let history = eventually("both messages stored", WAIT, has_both).await.unwrap();
    let stored: Vec<_> = history.iter().map(|message| message.client_id).collect();
    assert_eq!(stored, [client_id(&one), client_id(&other)]);
    assert_eq!(history[0].text.as_deref(), Some("one"));
}

#[tokio::test]
async fn two_people_may_use_the_same_client_id() {
    let (ada, bob, conversation) = a_pair().await;
    let id = unique_id();
    for client in [&ada, &bob] {
        client.send(conversation, &text_draft(id, "mine")).await.unwrap();
    }
    let has_both = || async {
        let history = bob.history(conversation).await.unwrap();
        (history.len() == 2).then_some(history)
    };
    let history = eventually("both messages stored", WAIT, has_both).await.unwrap();
    let senders: BTreeSet<_> = history.iter().map(|message| message.sender_id).collect();
    assert_eq!(senders, BTreeSet::from([ada.id(), bob.id()]));
}
