//! The shell over a wire that is a few queues.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::body::{ChangeList, Sync};
use protocol::frame::{ClientFrame, MessageAccepted, Said, ServerFrame};
use protocol::value::MemberMarks;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{App, Heard, Wire, WireError, WireSocket};
use crate::core::{Settings, State};

const ME: Uuid = Uuid::from_u128(1);
const ROOM: Uuid = Uuid::from_u128(7);
/// Nothing here takes time; a busy machine does.
const WAIT: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Seen {
    tickets: usize,
    refuses: bool,
    said: Vec<ClientFrame>,
    closed_politely: usize,
    open: Vec<mpsc::UnboundedSender<Heard>>,
}

#[derive(Clone, Default)]
struct Net(Arc<Mutex<Seen>>);

impl Net {
    fn with<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    fn push(&self, heard: &Heard) {
        self.with(|seen| seen.open.last().unwrap().send(heard.clone()).unwrap());
    }

    async fn until(&self, is_so: impl Fn(&Seen) -> bool) {
        let waits = async {
            while !self.with(|seen| is_so(seen)) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(WAIT, waits).await.unwrap();
    }
}

struct End {
    net: Net,
    incoming: mpsc::UnboundedReceiver<Heard>,
}

impl Wire for Net {
    type Socket = End;

    async fn open(&self) -> Result<End, WireError> {
        let (sender, incoming) = mpsc::unbounded_channel();
        self.with(|seen| {
            seen.tickets += 1;
            if seen.refuses {
                return Err(WireError::SignedOut);
            }
            seen.open.push(sender);
            Ok(End { net: self.clone(), incoming })
        })
    }

    async fn sync(&self, _: Option<String>) -> Result<Sync, WireError> {
        let (conversations, removed) = (vec![], vec![]);
        Ok(Sync { conversations, removed, next_cursor: "1".into(), has_more: false })
    }

    async fn changes(&self, _: Uuid, through: i64) -> Result<ChangeList, WireError> {
        Ok(ChangeList { items: vec![], through, last_seq: through, has_more: false })
    }

    async fn receipts(&self, _: Uuid) -> Result<Vec<MemberMarks>, WireError> {
        Ok(vec![])
    }
}

impl WireSocket for End {
    async fn say(&mut self, frame: &ClientFrame) -> Result<(), WireError> {
        self.net.with(|seen| seen.said.push(frame.clone()));
        Ok(())
    }

    async fn hear(&mut self) -> Heard {
        self.incoming.recv().await.unwrap_or(Heard::Closed)
    }

    async fn close(&mut self) {
        self.net.with(|seen| seen.closed_politely += 1);
    }
}

async fn online() -> (Net, App) {
    let net = Net::default();
    let app = App::start(net.clone(), State::new(ME, Settings::default()));
    app.connect();
    timeout(WAIT, app.until(State::is_caught_up)).await.unwrap();
    (net, app)
}

#[tokio::test]
async fn a_message_goes_out_and_its_answer_comes_in() {
    let (net, app) = online().await;
    let id = Uuid::from_u128(100);
    app.tell(|state, now| state.post_text(ROOM, id, "hi", now));
    net.until(|seen| seen.said.len() == 1).await;
    let asked = net.with(|seen| seen.said[0].clone());
    assert_eq!(asked.frame_type, "message.send");
    let accepted = MessageAccepted { conversation_id: ROOM, client_ids: vec![id] };
    let (said, in_reply_to) = (Said::MessageAccepted(accepted), Some(asked.id));
    net.push(&Heard::Frame(Box::new(ServerFrame { id, in_reply_to, said })));
    timeout(WAIT, app.until(|state| state.unaccepted() == 0)).await.unwrap();
}

#[tokio::test]
async fn a_socket_that_ends_is_followed_by_another_and_what_was_said_is_said_again() {
    let (net, app) = online().await;
    app.tell(|state, now| state.post_text(ROOM, Uuid::from_u128(100), "hi", now));
    net.until(|seen| seen.said.len() == 1).await;
    net.push(&Heard::Closed);
    net.until(|seen| seen.said.len() == 2).await;
    app.cut();
    net.until(|seen| seen.said.len() == 3).await;
    assert_eq!(net.with(|seen| (seen.tickets, seen.closed_politely)), (3, 0));
    let ids = net.with(|seen| seen.said.iter().map(|frame| frame.data.clone()).collect::<Vec<_>>());
    assert!(ids.iter().all(|data| *data == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn who_disconnects_closes_the_socket_and_opens_no_other() {
    let (net, app) = online().await;
    app.disconnect();
    net.until(|seen| seen.closed_politely == 1).await;
    assert!(!app.look(State::is_online));
    app.connect();
    net.until(|seen| seen.tickets == 2).await;
}

#[tokio::test]
async fn a_session_that_has_ended_is_told_and_not_tried_again() {
    let net = Net::default();
    net.with(|seen| seen.refuses = true);
    let app = App::start(net.clone(), State::new(ME, Settings::default()));
    app.connect();
    timeout(WAIT, app.until(|state| state.ended() == Some("signed_out"))).await.unwrap();
    sleep(Duration::from_millis(500)).await;
    assert_eq!(net.with(|seen| seen.tickets), 1);
}

#[tokio::test]
async fn what_nobody_understands_is_complained_about_and_ends_nothing() {
    let (net, app) = online().await;
    net.push(&Heard::read(r#"{"type": "from.the.future", "id": 1}"#));
    net.push(&Heard::read(r#"{"message": "Internal server error", "connectionId": "a"}"#));
    let mut changes = app.changes();
    let waits = async {
        while app.complaints().is_empty() {
            changes.changed().await.unwrap();
        }
    };
    timeout(WAIT, waits).await.unwrap();
    assert_eq!(app.complaints().len(), 1);
    assert!(app.look(State::is_online));
}

#[tokio::test]
async fn an_app_that_is_closed_leaves_no_socket_behind() {
    let (net, app) = online().await;
    app.close().await;
    assert_eq!(net.with(|seen| seen.closed_politely), 1);
}

#[tokio::test]
async fn an_app_that_is_dropped_ends_its_socket() {
    let (net, app) = online().await;
    drop(app);
    let line = net.with(|seen| seen.open[0].clone());
    timeout(WAIT, line.closed()).await.unwrap();
}
