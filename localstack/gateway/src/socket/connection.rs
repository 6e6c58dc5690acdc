//! The open sockets, and what other parts of the gateway may do with one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::faulty::Overtaken;
use super::{Ending, MAX_QUEUED_BYTES, MAX_QUEUED_MESSAGES};
use crate::front::clock::{Clock, Stamp};
use crate::front::ids;

/// All sockets whose `$connect` was accepted and that have not ended.
#[derive(Default)]
pub(crate) struct Connections {
    by_id: Mutex<HashMap<String, Arc<Connection>>>,
}

impl Connections {
    pub(super) fn add(&self, connection: &Arc<Connection>) {
        self.lock().insert(connection.id.clone(), Arc::clone(connection));
    }

    /// One that is not being closed already.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Connection>> {
        let found = self.lock().get(id).cloned();
        found.filter(|connection| !connection.closing.load(Ordering::Relaxed))
    }

    /// From here on posts are answered 410.
    pub(super) fn remove(&self, id: &str) -> Option<Arc<Connection>> {
        self.lock().remove(id)
    }

    pub(super) fn oldest_first(&self) -> Vec<Arc<Connection>> {
        let mut all: Vec<Arc<Connection>> = self.lock().values().cloned().collect();
        all.sort_by_key(|connection| connection.opened);
        all
    }

    /// A panic elsewhere leaves the map whole: every change is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Connection>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One socket, seen from outside its session.
pub(super) struct Connection {
    pub id: String,
    pub source_ip: String,
    pub user_agent: String,
    /// The Host that the client asked for.
    pub host: String,
    pub connected_at: Stamp,
    opened: Instant,
    active_after_ms: AtomicU64,
    queue: mpsc::Sender<Outgoing>,
    queued_bytes: AtomicUsize,
    closing: AtomicBool,
    cut: Notify,
    /// Only with `--faults`.
    pub overtaken: Overtaken,
}

/// What the writer is asked to do, in order.
pub(super) enum Outgoing {
    Text(Utf8Bytes),
    Close(Ending),
}

/// Why a post is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The client does not read fast enough.
    Full,
    Gone,
    /// A rule of `--faults` wants this status.
    Fault(u16),
}

impl Connection {
    pub fn new(host: String, source_ip: String, user_agent: String) -> (Self, Queue) {
        let (queue, outgoing) = mpsc::channel(MAX_QUEUED_MESSAGES);
        let connection = Self {
            id: ids::socket(),
            source_ip,
            user_agent,
            host,
            connected_at: Clock::now(),
            opened: Instant::now(),
            active_after_ms: AtomicU64::new(0),
            queue,
            queued_bytes: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            cut: Notify::new(),
            overtaken: Overtaken::default(),
        };
        (connection, outgoing)
    }

    /// A message was sent or received.
    pub fn touch(&self) {
        let elapsed = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.active_after_ms.fetch_max(elapsed, Ordering::Relaxed);
    }

    pub fn opened(&self) -> Instant {
        self.opened
    }

    pub fn last_active(&self) -> Instant {
        self.opened + self.active_after()
    }

    pub fn last_active_at(&self) -> Stamp {
        self.connected_at.plus(self.active_after())
    }

    fn active_after(&self) -> Duration {
        Duration::from_millis(self.active_after_ms.load(Ordering::Relaxed))
    }

    /// For posts: behind everything posted before, or refused at once.
    pub fn post(&self, text: Utf8Bytes) -> Result<(), Refused> {
        let bytes = text.len();
        let queued = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        // A single message always fits an empty queue.
        if queued > 0 && queued.saturating_add(bytes) > MAX_QUEUED_BYTES {
            self.written(bytes);
            return Err(Refused::Full);
        }
        self.queue.try_send(Outgoing::Text(text)).map_err(|refused| {
            self.written(bytes);
            match refused {
                mpsc::error::TrySendError::Full(_) => Refused::Full,
                mpsc::error::TrySendError::Closed(_) => Refused::Gone,
            }
        })
    }

    /// For answers to the client's own frames: waits for room, which the writer makes or ends the
    /// socket. At most `MAX_IN_FLIGHT` wait.
    pub async fn answer(&self, text: Utf8Bytes) {
        self.queued_bytes.fetch_add(text.len(), Ordering::Relaxed);
        // A closed queue means that the client is gone and wants no answer.
        let _ = self.queue.send(Outgoing::Text(text)).await;
    }

    /// Ends the socket after what is queued; one whose queue is full is cut off instead. Posts are
    /// answered 410 from here on.
    pub fn close(&self, ending: Ending) {
        self.closing.store(true, Ordering::Relaxed);
        if self.queue.try_send(Outgoing::Close(ending)).is_err() {
            self.cut.notify_one();
        }
    }

    /// Ends the socket without a word, as a network that goes away does.
    pub fn cut(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.cut.notify_one();
    }

    /// Ready when the socket has to end without another word.
    pub async fn cut_off(&self) {
        self.cut.notified().await;
    }

    /// The writer has done with so many bytes.
    pub fn written(&self, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

pub(super) type Queue = mpsc::Receiver<Outgoing>;

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> (Connection, Queue) {
        Connection::new("x".into(), "127.0.0.1".into(), String::new())
    }

    #[tokio::test]
    async fn what_waits_for_a_client_is_bounded_in_bytes() {
        let (connection, mut queue) = connection();
        let large = Utf8Bytes::from("x".repeat(100 * 1024));
        let accepted = (0..100).filter(|_| connection.post(large.clone()).is_ok()).count();
        assert_eq!(accepted, MAX_QUEUED_BYTES / large.len());
        assert_eq!(connection.post(large.clone()), Err(Refused::Full));
        // What is written makes room again.
        drop(queue.recv().await);
        connection.written(large.len());
        assert_eq!(connection.post(large), Ok(()));
    }

    #[tokio::test]
    async fn what_waits_for_a_client_is_bounded_in_number() {
        let (connection, queue) = connection();
        let accepted = (0..1000).filter(|_| connection.post("x".into()).is_ok()).count();
        assert_eq!(accepted, MAX_QUEUED_MESSAGES);
        // No room for the close frame either: the client is cut off.
        connection.close(Ending::deleted());
        connection.cut_off().await;
        drop(queue);
        assert_eq!(connection.post("x".into()), Err(Refused::Gone));
    }
}
