//! Requests and frames that these stories make, and waiting for what comes of them.

pub use acceptance::hearing::{heard_until, is_message};
use harness::{Answer, Client, Heard, PASSWORD, Socket, WAIT, eventually};
use protocol::body::{AskedContact, List, PresenceList, Profile, ReceiptList};
use protocol::frame::{ContactChanged, Said};
use protocol::value::{ContactRequest, Presence};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// What a list of people is that names none.
pub const NOBODY: [Uuid; 0] = [];

/// A request without a body, whatever comes of it.
pub async fn ask(client: &Client, method: Method, path: &str) -> Answer {
    client.api().send(client.request(method, path)).await.unwrap()
}

/// A request with this body, whatever comes of it.
pub async fn ask_with(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    client.api().send(client.request(method, path).json(body)).await.unwrap()
}

pub async fn update_me(client: &Client, change: &Value) -> Answer {
    ask_with(client, Method::PATCH, "/v1/users/me", change).await
}

/// `PUT` blocks, `DELETE` unblocks.
pub async fn block(client: &Client, method: Method, other: Uuid) -> Answer {
    ask(client, method, &format!("/v1/users/me/blocks/{other}")).await
}

/// Opens a direct conversation, whatever comes of it.
pub async fn open(client: &Client, other: Uuid) -> Answer {
    let body = json!({ "type": "direct", "member_ids": [other] });
    client.post("/v1/conversations", &body).await.unwrap()
}

pub async fn erase_me(client: &Client) -> Answer {
    let body = json!({ "password": PASSWORD });
    ask_with(client, Method::DELETE, "/v1/users/me", &body).await
}

pub async fn presence_of(client: &Client, user: Uuid) -> Presence {
    let path = format!("/v1/presence?user_ids={user}");
    let list: PresenceList = client.get(&path).await.unwrap().expect(200).unwrap();
    let [seen] = <[Presence; 1]>::try_from(list.items).unwrap();
    seen
}

/// `(delivered, read)` of one person, as another sees them.
pub async fn marks_of(viewer: &Client, conversation: Uuid, user: Uuid) -> (i64, i64) {
    let path = format!("/v1/conversations/{conversation}/receipts");
    let list: ReceiptList = viewer.get(&path).await.unwrap().expect(200).unwrap();
    let of_user = list.items.iter().find(|marks| marks.user_id == user).unwrap();
    (of_user.delivered, of_user.read)
}

/// Waits until one person's marks, as another sees them, are these.
pub async fn until_marks(viewer: &Client, conversation: Uuid, user: Uuid, expected: (i64, i64)) {
    let are_so =
        || async { (marks_of(viewer, conversation, user).await == expected).then_some(()) };
    eventually(&format!("the marks {expected:?}"), WAIT, are_so).await.unwrap();
}

/// Waits until this conversation's counter is there.
pub async fn until_stored(client: &Client, conversation: Uuid, last_seq: i64) {
    let is_stored = || async {
        let now = client.conversation(conversation).await.unwrap().last_seq;
        (now >= last_seq).then_some(())
    };
    eventually(&format!("number {last_seq} is stored"), WAIT, is_stored).await.unwrap();
}

/// Asks somebody to be a contact.
pub async fn ask_contact(client: &Client, other: Uuid) -> Answer {
    client.post("/v1/contact-requests", &json!({ "user_id": other })).await.unwrap()
}

pub async fn asked(client: &Client, other: Uuid) -> AskedContact {
    ask_contact(client, other).await.expect(201).unwrap()
}

/// `accept` or `decline`.
pub async fn answer_request(client: &Client, request: Uuid, verdict: &str) -> Answer {
    ask(client, Method::POST, &format!("/v1/contact-requests/{request}/{verdict}")).await
}

/// Two people become contacts.
pub async fn befriend(one: &Client, other: &Client) {
    let request = asked(one, other.id()).await.request.id;
    answer_request(other, request, "accept").await.expect_status(200).unwrap();
}

pub async fn profiles(client: &Client, path: &str) -> List<Profile> {
    client.get(path).await.unwrap().expect(200).unwrap()
}

/// Whom a list of people names, in its order.
pub async fn listed(client: &Client, path: &str) -> Vec<Uuid> {
    profiles(client, path).await.items.iter().map(|profile| profile.id).collect()
}

pub async fn requests(client: &Client) -> Vec<ContactRequest> {
    let list: List<ContactRequest> =
        client.get("/v1/contact-requests").await.unwrap().expect(200).unwrap();
    list.items
}

/// The next thing said of which `pick` makes something.
pub async fn told<T>(socket: &mut Socket, what: &str, pick: impl Fn(&Said) -> Option<T>) -> T {
    let told = socket.wait_for(what, |heard| match heard {
        Heard::Frame(frame) => pick(&frame.said),
        _ => None,
    });
    told.await.unwrap()
}

pub async fn told_contact(socket: &mut Socket) -> ContactChanged {
    let pick = |said: &Said| match said {
        Said::ContactChanged(told) => Some(told.clone()),
        _ => None,
    };
    told(socket, "contact.changed", pick).await
}

/// Waits for `bye` with this reason, and for the close behind it.
pub async fn assert_ended(socket: &mut Socket, reason: &str) {
    let pick = |said: &Said| match said {
        Said::Bye(bye) => Some(bye.reason.clone()),
        _ => None,
    };
    assert_eq!(told(socket, "bye", pick).await, reason);
    socket.closed().await.unwrap();
}

pub async fn watch(socket: &mut Socket, user: Uuid) -> Presence {
    let frame = socket.say_frame("presence.watch", json!({ "user_ids": [user] })).await.unwrap();
    match socket.answer_to(frame).await.unwrap() {
        Said::PresenceChanged(told) => told.users[0].clone(),
        other => panic!("{other:?}"),
    }
}

/// The names of the fields that were refused.
pub fn refused_fields(answer: &Answer) -> Vec<(String, String)> {
    let problem = answer.expect_problem(422, "validation_failed").unwrap();
    let fields =
        problem.fields.unwrap_or_default().into_iter().map(|field| (field.name, field.code));
    let mut fields: Vec<_> = fields.collect();
    fields.sort();
    fields
}

/// The names in a JSON object.
pub fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
