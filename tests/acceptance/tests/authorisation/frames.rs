//! The rows of `frames.txt`, said.

use acceptance::hearing::BETWEEN_TYPINGS;
use acceptance::people::draft;
use harness::{Client, Heard, Socket, WAIT, eventually};
use protocol::body::{PresenceList, ReceiptList};
use protocol::frame::Said;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::cast::{Cast, Group, Things, filled};
use crate::table::{COLUMNS, Column, frames};

/// How often somebody types until it is heard.
const TRIES: usize = 6;

/// Those who see what comes of a frame that is not answered.
struct Witnesses<'a> {
    cast: &'a Cast,
    group: &'a Group,
    /// Of the bystander, who hears who types, and waits for it until it can be said again.
    socket: Socket,
    /// Nobody in the group has read so far, except the bystander, who wrote it.
    newest_seq: i64,
}

impl<'a> Witnesses<'a> {
    async fn of(cast: &'a Cast, group: &'a Group) -> Self {
        // The outcast sees whether somebody is there: each of them is known to one outside.
        for asker in COLUMNS.into_iter().filter_map(|column| cast.asker(column)) {
            cast.outcast.open_direct(asker.id()).await.unwrap();
        }
        let last = draft("the last word");
        cast.bystander.send(group.id, &last).await.unwrap();
        let stored = || async {
            let history = cast.owner.history(group.id).await.ok()?;
            history.iter().find(|m| m.text == last.text).map(|message| message.seq)
        };
        let newest_seq = eventually("it is stored", WAIT, stored).await.unwrap();
        let mut socket = cast.bystander.socket().await.unwrap();
        socket.be_patient(BETWEEN_TYPINGS);
        let witnesses = Self { cast, group, socket, newest_seq };
        for asker in [&cast.member, &cast.admin, &cast.owner] {
            assert!(witnesses.read_by(asker.id()).await < newest_seq, "it is read already");
        }
        witnesses
    }

    async fn read_by(&self, user: Uuid) -> i64 {
        let path = format!("/v1/conversations/{}/receipts", self.group.id);
        let marks: ReceiptList = self.cast.owner.get(&path).await.unwrap().expect(200).unwrap();
        marks.items.iter().find(|marks| marks.user_id == user).map_or(0, |marks| marks.read)
    }

    async fn status_of(&self, user: Uuid) -> String {
        let path = format!("/v1/presence?user_ids={user}");
        let seen = self.cast.outcast.get(&path).await.unwrap().expect(200).unwrap();
        let PresenceList { items } = seen;
        items[0].status.clone()
    }

    /// Waits for what comes of a frame that is allowed; never ends for one that is answered. `None`
    /// for typing that is not told: that happens when it takes too long, and it is said again.
    async fn sees(&mut self, frame_type: &str, user: Uuid) -> Option<&'static str> {
        match frame_type {
            "receipt" => {
                let newest = self.newest_seq;
                let is_read = || async { (self.read_by(user).await >= newest).then_some(()) };
                eventually("the mark rises", WAIT, is_read).await.unwrap();
                Some("recorded")
            }
            "typing" => {
                let types = |heard: &Heard| match heard {
                    Heard::Frame(frame) => match &frame.said {
                        Said::Typing(typing) => (typing.user_id == user).then_some(()),
                        _ => None,
                    },
                    _ => None,
                };
                self.socket.wait_for("typing", types).await.ok().map(|()| "heard")
            }
            "presence.set" => {
                let is_set = || async { (self.status_of(user).await == "dnd").then_some(()) };
                eventually("the status is seen", WAIT, is_set).await.unwrap();
                Some("set")
            }
            _ => std::future::pending().await,
        }
    }

    async fn outcome(&mut self, column: Column, frame_type: &str, data: &str) -> String {
        let cast = self.cast;
        let Some(asker) = cast.asker(column) else {
            return without_socket(cast, column).await.to_string();
        };
        let things =
            Things { group: self.group, elsewhere: self.group, session_id: None, request_id: None };
        let newest_seq = self.newest_seq.to_string();
        let data = filled(data, ['<', '>'], |name| match name {
            "seq:newest" => newest_seq.clone(),
            name => cast.thing(name, asker.id(), &things),
        });
        let data: Value = serde_json::from_str(&data).unwrap();
        let mut socket = asker.socket().await.unwrap();
        for _ in 0..TRIES {
            let frame = socket.say_frame(frame_type, data.clone()).await.unwrap();
            let seen = tokio::select! {
                answer = socket.answer_to(frame) => return named(&answer.unwrap()),
                seen = self.sees(frame_type, asker.id()) => seen,
            };
            if let Some(seen) = seen {
                return seen.to_owned();
            }
        }
        "nothing".to_owned()
    }
}

/// What a frame is answered with, in the words of `frames.txt`.
fn named(answer: &Said) -> String {
    match answer {
        Said::Error(error) => error.code.clone(),
        Said::MessageAccepted(_) => "accepted".to_owned(),
        Said::PresenceChanged(changed) => changed.users[0].status.clone(),
        Said::HeartbeatOk(ok) if ok.behind.is_empty() => "silent".to_owned(),
        Said::HeartbeatOk(_) => "behind".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Without a token there is no ticket, and without a ticket no socket to say anything on.
async fn without_socket(cast: &Cast, column: Column) -> u16 {
    let owner: &Client = &cast.owner;
    if column == Column::ExpiredToken {
        let request = owner.api().request(Method::POST, "/v1/socket-tickets");
        let request = request.bearer_auth(&cast.expired_token);
        return owner.api().send(request).await.unwrap().status;
    }
    let url = owner.ticket().await.unwrap().url;
    Socket::upgrade(&url, &[]).await.unwrap().err().unwrap_or(101)
}

#[tokio::test]
async fn each_frame_gets_from_each_sender_what_its_row_says() {
    let cast = Cast::gather().await;
    let group = cast.group(true).await;
    let mut witnesses = Witnesses::of(&cast, &group).await;
    let mut mistakes = vec![];
    for (cells, frame_type, data) in frames() {
        for (column, expected) in COLUMNS.into_iter().zip(cells) {
            let outcome = witnesses.outcome(column, frame_type, data).await;
            if outcome != expected {
                let said = format!("{frame_type} as {column:?}: {outcome}");
                mistakes.push(format!("{said}, and frames.txt says {expected}"));
            }
        }
    }
    assert!(mistakes.is_empty(), "{} mistakes:\n{}", mistakes.len(), mistakes.join("\n"));
}
