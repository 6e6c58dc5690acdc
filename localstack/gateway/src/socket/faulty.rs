//! What the rules of `--faults` do to sockets: to pushes, to frames, and to the sockets
//! themselves. Without a rule everything here goes straight on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::connection::{Connection, Refused};
use super::{message, route};
use crate::faults::{FrameFault, PushFault, frame_type};
use crate::front::{Front, stopped};

/// What is to be overtaken waits no longer than this.
const SWAP_TIME: Duration = Duration::from_secs(1);

/// What waits to be overtaken, one of each kind for each socket.
#[derive(Default)]
pub(super) struct Overtaken {
    push: Mutex<Option<Arc<Utf8Bytes>>>,
    /// Told, or dropped, when the next frame has been handled.
    frame: Mutex<Option<oneshot::Sender<()>>>,
}

impl Overtaken {
    /// Takes this push away if nothing has overtaken it.
    fn still_waits(&self, text: &Arc<Utf8Bytes>) -> bool {
        let mut waiting = self.push.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.take_if(|waiting| Arc::ptr_eq(waiting, text)).is_some()
    }
}

fn taken<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn put<T>(place: &Mutex<Option<T>>, value: T) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

/// A post to a socket. What overtakes another one meets no fault itself.
pub(super) fn push(
    front: &Front,
    connection: &Arc<Connection>,
    text: Utf8Bytes,
) -> Result<(), Refused> {
    if !front.faults.is_armed() {
        return connection.post(text);
    }
    if let Some(overtaken) = taken(&connection.overtaken.push) {
        let sent = connection.post(text);
        // Its poster was told 200 long ago.
        let _ = connection.post(Utf8Bytes::clone(&overtaken));
        return sent;
    }
    match front.faults.push(&connection.id, &text) {
        None => connection.post(text),
        Some(PushFault::Drop) => Ok(()),
        Some(PushFault::Duplicate) => {
            connection.post(text.clone())?;
            connection.post(text)
        }
        Some(PushFault::Status(status)) => Err(Refused::Fault(status)),
        Some(PushFault::Delay(by)) => delay(front, connection, text, by),
        Some(PushFault::Swap) => wait_for_the_next(front, connection, text),
    }
}

fn delay(
    front: &Front,
    connection: &Arc<Connection>,
    text: Utf8Bytes,
    by: Duration,
) -> Result<(), Refused> {
    let Some(place) = front.faults.place() else { return connection.post(text) };
    let connection = Arc::clone(connection);
    tokio::spawn(async move {
        tokio::time::sleep(by).await;
        // Its poster was told 200 long ago.
        let _ = connection.post(text);
        drop(place);
    });
    Ok(())
}

fn wait_for_the_next(
    front: &Front,
    connection: &Arc<Connection>,
    text: Utf8Bytes,
) -> Result<(), Refused> {
    let Some(place) = front.faults.place() else { return connection.post(text) };
    let text = Arc::new(text);
    put(&connection.overtaken.push, Arc::clone(&text));
    let connection = Arc::clone(connection);
    tokio::spawn(async move {
        tokio::time::sleep(SWAP_TIME).await;
        if connection.overtaken.still_waits(&text) {
            let _ = connection.post(Utf8Bytes::clone(&text));
        }
        drop(place);
    });
    Ok(())
}

/// A frame of the client, in the order in which frames came; it is handled in a task of its own.
pub(super) fn frame(
    front: &Arc<Front>,
    connection: &Arc<Connection>,
    text: Utf8Bytes,
    place: OwnedSemaphorePermit,
) {
    let (front, connection) = (Arc::clone(front), Arc::clone(connection));
    if !front.faults.is_armed() {
        tokio::spawn(async move {
            message::handle(front, connection, text).await;
            drop(place);
        });
        return;
    }
    let overtaken = taken(&connection.overtaken.frame);
    let fault = if overtaken.is_some() { None } else { fault_of(&front, &connection, &text) };
    let turn = (fault == Some(FrameFault::Swap)).then(|| {
        let (tell, told) = oneshot::channel();
        put(&connection.overtaken.frame, tell);
        told
    });
    tokio::spawn(async move {
        match fault {
            Some(FrameFault::Drop) => return,
            Some(FrameFault::Delay(by)) => tokio::time::sleep(by).await,
            Some(FrameFault::Duplicate) => {
                let again = (Arc::clone(&front), Arc::clone(&connection), text.clone());
                let again = message::handle(again.0, again.1, again.2);
                tokio::join!(again, message::handle(front, connection, text));
                return;
            }
            Some(FrameFault::Swap) | None => {}
        }
        if let Some(turn) = turn {
            // Dropped, told or late: it goes on in any case.
            let _ = tokio::time::timeout(SWAP_TIME, turn).await;
        }
        message::handle(front, connection, text).await;
        drop((overtaken, place));
    });
}

fn fault_of(front: &Front, connection: &Connection, text: &str) -> Option<FrameFault> {
    let (key, kind) = types_of(front, text);
    front.faults.frame(&connection.id, &[&key, &kind])
}

/// The route's key of a frame and its own type; empty where there is none.
pub(super) fn types_of(front: &Front, text: &str) -> (String, String) {
    let key = route::select(&front.model.socket, text).map(|(key, _)| key.to_owned());
    (key.unwrap_or_default(), frame_type(text).unwrap_or_default())
}

/// Cuts the sockets that the rule selects, oldest first, now and as often as the rule says. A
/// rule that cuts just once has done its work then and is gone. Returns how many were cut.
pub(crate) fn cut(front: &Arc<Front>, rule: u64) -> usize {
    let count = cut_once(front, rule);
    match front.faults.cuts_every(rule) {
        Some(every) => cut_again(Arc::clone(front), rule, every),
        None => drop(front.faults.remove(rule)),
    }
    count
}

fn cut_again(front: Arc<Front>, rule: u64, every: Duration) {
    tokio::spawn(async move {
        let again = async {
            // Ends with the rule, or when the rule has fired as often as it may.
            while front.faults.cuts_every(rule).is_some() {
                tokio::time::sleep(every).await;
                cut_once(&front, rule);
            }
        };
        tokio::select! {
            () = again => {}
            () = stopped(front.stopping.clone()) => {}
        }
    });
}

fn cut_once(front: &Front, rule: u64) -> usize {
    let mut sockets = front.connections.oldest_first();
    sockets.retain(|connection| front.faults.cuts(rule, &connection.id));
    sockets.iter().for_each(|connection| connection.cut());
    sockets.len()
}
