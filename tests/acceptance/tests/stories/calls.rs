//! Requests and frames that several stories make, and waiting for what comes of them.

pub use acceptance::hearing::{heard_until, is_message, told_typing};
use harness::{Answer, Client, Device, Heard, Socket, State, WAIT, eventually};
use protocol::body::{PresenceList, ReceiptList, Sync};
use protocol::frame::{Messages, ReceiptUpdated, Said};
use protocol::value::{MemberMarks, Message, Presence};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

fn path_of(conversation: Uuid, seq: i64) -> String {
    format!("/v1/conversations/{conversation}/messages/{seq}")
}

/// A request without a body, whatever comes of it.
pub async fn ask(client: &Client, method: Method, path: &str) -> Answer {
    client.api().send(client.request(method, path)).await.unwrap()
}

/// A request with this body, whatever comes of it.
pub async fn ask_with(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    client.api().send(client.request(method, path).json(body)).await.unwrap()
}

pub async fn edit(client: &Client, conversation: Uuid, seq: i64, text: &str) -> Answer {
    let body = json!({ "text": text });
    ask_with(client, Method::PATCH, &path_of(conversation, seq), &body).await
}

pub async fn delete(client: &Client, conversation: Uuid, seq: i64) -> Answer {
    ask(client, Method::DELETE, &path_of(conversation, seq)).await
}

/// `PUT` reacts, `DELETE` takes it back, `GET` lists.
pub async fn reaction(
    client: &Client,
    method: Method,
    conversation: Uuid,
    seq: i64,
    emoji: &str,
) -> Answer {
    let path = format!("{}/reactions/{emoji}", path_of(conversation, seq));
    ask(client, method, &path).await
}

/// `PUT` pins, `DELETE` unpins.
pub async fn pin(client: &Client, method: Method, conversation: Uuid, seq: i64) -> Answer {
    ask(client, method, &format!("{}/pin", path_of(conversation, seq))).await
}

pub fn changed(answer: &Answer) -> Message {
    answer.expect(200).unwrap()
}

/// Says over HTTP how far one has got.
pub async fn claim(client: &Client, conversation: Uuid, body: Value) -> Answer {
    let path = format!("/v1/conversations/{conversation}/receipts");
    client.post(&path, &body).await.unwrap()
}

/// How far everybody has got, as this person sees it.
pub async fn marks(client: &Client, conversation: Uuid) -> Vec<MemberMarks> {
    let path = format!("/v1/conversations/{conversation}/receipts");
    let list: ReceiptList = client.get(&path).await.unwrap().expect(200).unwrap();
    list.items
}

/// `(delivered, read)` of one person, as another sees them.
pub async fn marks_of(viewer: &Client, conversation: Uuid, user: Uuid) -> (i64, i64) {
    let all = marks(viewer, conversation).await;
    let of_user = all.iter().find(|marks| marks.user_id == user).unwrap();
    (of_user.delivered, of_user.read)
}

/// Waits until one person's marks, as another sees them, are these.
pub async fn until_marks(viewer: &Client, conversation: Uuid, user: Uuid, expected: (i64, i64)) {
    let are_so =
        || async { (marks_of(viewer, conversation, user).await == expected).then_some(()) };
    eventually(&format!("the marks {expected:?}"), WAIT, are_so).await.unwrap();
}

pub async fn sync(client: &Client, query: &str) -> Sync {
    client.get(&format!("/v1/sync?{query}")).await.unwrap().expect(200).unwrap()
}

pub async fn presence_of(client: &Client, user: Uuid) -> Presence {
    let path = format!("/v1/presence?user_ids={user}");
    let list: PresenceList = client.get(&path).await.unwrap().expect(200).unwrap();
    let [seen] = <[Presence; 1]>::try_from(list.items).unwrap();
    seen
}

/// Waits until this conversation's counter is there.
pub async fn until_stored(client: &Client, conversation: Uuid, last_seq: i64) {
    let is_stored = || async {
        let now = client.conversation(conversation).await.unwrap().last_seq;
        (now >= last_seq).then_some(())
    };
    eventually(&format!("number {last_seq} is stored"), WAIT, is_stored).await.unwrap();
}

/// Waits until every one of these apps has everything, and all have the same as the database.
pub async fn assert_all_agree(devices: &[Device], conversation: Uuid, last_seq: i64) {
    let is_there = |state: &State| state.cursor(conversation) >= last_seq;
    for device in devices {
        device.until(&format!("number {last_seq}"), WAIT, is_there).await.unwrap();
    }
    let history = devices[0].client().history(conversation).await.unwrap();
    for device in devices {
        assert_eq!(device.transcript(conversation), history);
        assert_eq!(device.look(|state| state.cursor(conversation)), last_seq);
    }
    let now = devices[0].client().conversation(conversation).await.unwrap();
    assert_eq!(now.last_seq, last_seq);
}

/// The next push that carries this message, and the number it has there. A push that was slow comes
/// twice, so the next one of all may be that of an earlier message.
pub async fn seq_pushed(socket: &mut Socket, conversation: Uuid, client_id: Uuid) -> i64 {
    loop {
        let Messages { messages, .. } = socket.pushed(conversation).await.unwrap();
        if let Some(message) = messages.iter().find(|message| message.client_id == client_id) {
            return message.seq;
        }
    }
}

/// The next receipts in this conversation.
pub async fn told_receipts(socket: &mut Socket, conversation: Uuid) -> ReceiptUpdated {
    let told = socket.wait_for("receipt.updated", |heard| match heard {
        Heard::Frame(frame) => match &frame.said {
            Said::ReceiptUpdated(told) if told.conversation_id == conversation => {
                Some(told.clone())
            }
            _ => None,
        },
        _ => None,
    });
    told.await.unwrap()
}

/// The next change in this conversation.
pub async fn told_change(socket: &mut Socket, conversation: Uuid) -> Messages {
    let told = socket.wait_for("message.changed", |heard| match heard {
        Heard::Frame(frame) => match &frame.said {
            Said::MessageChanged(told) if told.conversation_id == conversation => {
                Some(told.clone())
            }
            _ => None,
        },
        _ => None,
    });
    told.await.unwrap()
}
