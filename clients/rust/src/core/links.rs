//! Sockets: which to open, which to close, which to speak to.

use uuid::Uuid;

use super::chance::Chance;

const RECONNECT_FIRST_MS: u64 = 250;
const RECONNECT_MOST_MS: u64 = 30_000;
/// A ticket and an upgrade.
const OPENING_PATIENCE_MS: u64 = 30_000;
/// What is in flight on a socket that makes way may still be answered there.
const LEAVING_MOST_MS: u64 = 5_000;
/// API Gateway answers for a function after 29 s; later there is nobody.
const HEARTBEAT_PATIENCE_MS: u64 = 35_000;
/// After a heartbeat that failed behind the gateway.
const HEARTBEAT_RETRY_MS: u64 = 5_000;

/// One open socket.
#[derive(Debug)]
struct Link {
    socket: u64,
    heard_at: u64,
    /// It makes way for a newer one, at the latest then.
    leaves_at: Option<u64>,
    heartbeat_at: u64,
    /// The heartbeat that has no answer yet, and since when.
    heartbeat: Option<(Uuid, u64)>,
}

/// At most one socket is being opened; the newest open one is spoken to.
#[derive(Debug)]
pub(crate) struct Links {
    heartbeat_ms: u64,
    is_wanted: bool,
    ended: Option<String>,
    open: Vec<Link>,
    opening: Option<(u64, u64)>,
    open_at: Option<u64>,
    failures: u32,
    numbered: u64,
}

impl Links {
    pub(crate) fn new(heartbeat_ms: u64) -> Self {
        Self {
            heartbeat_ms,
            is_wanted: false,
            ended: None,
            open: Vec::new(),
            opening: None,
            open_at: None,
            failures: 0,
            numbered: 0,
        }
    }

    /// The socket to speak to.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.open.last().map(|link| link.socket)
    }

    pub(crate) fn is_open(&self, socket: u64) -> bool {
        self.open.iter().any(|link| link.socket == socket)
    }

    pub(crate) fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    pub(crate) fn connect(&mut self, now: u64) {
        self.is_wanted = true;
        self.ended = None;
        self.failures = 0;
        if self.open.is_empty() && self.opening.is_none() {
            self.open_at = Some(now);
        }
    }

    /// Answers the sockets to close.
    pub(crate) fn disconnect(&mut self) -> Vec<u64> {
        self.is_wanted = false;
        self.open_at = None;
        let opening = self.opening.take().map(|(socket, _)| socket);
        self.open.drain(..).map(|link| link.socket).chain(opening).collect()
    }

    /// No socket will open until the person wants one.
    pub(crate) fn end(&mut self, reason: &str) {
        self.is_wanted = false;
        self.open_at = None;
        self.ended = Some(reason.to_owned());
    }

    /// `false`: nobody wants this socket.
    pub(crate) fn opened(&mut self, socket: u64, now: u64) -> bool {
        if !self.is_wanted || self.opening.is_none_or(|(opening, _)| opening != socket) {
            return false;
        }
        self.opening = None;
        self.open_at = None;
        for older in &mut self.open {
            older.leaves_at = older.leaves_at.or(Some(now + LEAVING_MOST_MS));
        }
        let heartbeat_at = now + self.heartbeat_ms;
        self.open.push(Link {
            socket,
            heard_at: now,
            leaves_at: None,
            heartbeat_at,
            heartbeat: None,
        });
        true
    }

    /// A socket has ended, or could not be opened.
    pub(crate) fn closed(&mut self, socket: u64, now: u64, chance: &mut Chance) {
        let was_newest = self.newest() == Some(socket);
        let was_opening = self.opening.is_some_and(|(opening, _)| opening == socket);
        self.open.retain(|link| link.socket != socket);
        if was_opening {
            self.opening = None;
        }
        if self.is_wanted && (was_opening || was_newest) && self.opening.is_none() {
            self.failures = self.failures.saturating_add(1);
            let wait = chance.back_off(RECONNECT_FIRST_MS, RECONNECT_MOST_MS, self.failures);
            self.open_at = Some(now + wait);
        }
    }

    /// The socket lives: the next reconnect is the first.
    pub(crate) fn heard(&mut self, socket: u64, now: u64) {
        self.failures = 0;
        if let Some(link) = self.open.iter_mut().find(|link| link.socket == socket) {
            link.heard_at = now;
        }
    }

    /// What was said then has no answer. If nothing else came either, the network may have
    /// changed under the socket; it is kept until the next one is open, for it may only be slow.
    pub(crate) fn suspect(&mut self, socket: u64, since: u64, now: u64) {
        let is_silent =
            self.open.last().is_some_and(|link| link.socket == socket && link.heard_at <= since);
        if self.is_wanted && is_silent && self.opening.is_none() {
            self.open_at = self.open_at.or(Some(now));
        }
    }

    /// Make before break: the old socket stays until the next one is open.
    pub(crate) fn bye(&mut self, socket: u64, reason: &str, reconnect_after_ms: u64, now: u64) {
        match reason {
            // To come back after the last of these would only end another device's socket.
            "signed_out" | "session_revoked" | "too_many_sockets" => self.end(reason),
            _ if self.is_wanted && self.newest() == Some(socket) && self.opening.is_none() => {
                let at = now.saturating_add(reconnect_after_ms);
                self.open_at = Some(self.open_at.map_or(at, |earlier| earlier.min(at)));
            }
            _ => {}
        }
    }

    /// The number of a socket to open now.
    pub(crate) fn take_opening(&mut self, now: u64) -> Option<u64> {
        self.open_at.filter(|at| now >= *at && self.opening.is_none())?;
        self.open_at = None;
        self.numbered += 1;
        self.opening = Some((self.numbered, now));
        Some(self.numbered)
    }

    /// Sockets whose time is over: those that make way, and those that do not answer.
    pub(crate) fn expired(&self, now: u64, is_in_use: impl Fn(u64) -> bool) -> Vec<u64> {
        let is_left =
            |link: &Link| link.leaves_at.is_some_and(|at| now >= at || !is_in_use(link.socket));
        let is_deaf = |link: &Link| {
            link.heartbeat.is_some_and(|(_, since)| now >= since + HEARTBEAT_PATIENCE_MS)
        };
        let open = self.open.iter().filter(|link| is_left(link) || is_deaf(link));
        let opening = self.opening.filter(|(_, since)| now >= since + OPENING_PATIENCE_MS);
        open.map(|link| link.socket).chain(opening.map(|(socket, _)| socket)).collect()
    }

    /// The socket on which a heartbeat is due.
    pub(crate) fn heartbeat_due(&self, now: u64) -> Option<u64> {
        let link = self.open.last()?;
        (link.heartbeat.is_none() && now >= link.heartbeat_at).then_some(link.socket)
    }

    pub(crate) fn beat(&mut self, frame_id: Uuid, now: u64) {
        let next = now + self.heartbeat_ms;
        if let Some(link) = self.open.last_mut() {
            link.heartbeat = Some((frame_id, now));
            link.heartbeat_at = next;
        }
    }

    /// Any answer to a heartbeat shows that somebody is there.
    pub(crate) fn heartbeat_answered(&mut self, socket: u64) {
        if let Some(link) = self.open.iter_mut().find(|link| link.socket == socket) {
            link.heartbeat = None;
        }
    }

    /// It failed behind the gateway: soon again.
    pub(crate) fn heartbeat_failed(&mut self, socket: u64, now: u64) {
        let link = self.open.iter_mut().find(|link| link.socket == socket);
        if let Some(link) = link.filter(|link| link.heartbeat.is_some()) {
            link.heartbeat = None;
            link.heartbeat_at = now + HEARTBEAT_RETRY_MS;
        }
    }

    pub(crate) fn is_heartbeat(&self, frame_id: Uuid) -> bool {
        self.open.iter().any(|link| link.heartbeat.is_some_and(|(id, _)| id == frame_id))
    }

    pub(crate) fn wake(&self) -> Option<u64> {
        let opening = self.opening.map(|(_, since)| since + OPENING_PATIENCE_MS);
        let open_at = self.open_at.filter(|_| self.opening.is_none());
        let heartbeats = self.open.iter().filter_map(|link| match link.heartbeat {
            Some((_, since)) => Some(since + HEARTBEAT_PATIENCE_MS),
            None => link.leaves_at.is_none().then_some(link.heartbeat_at),
        });
        let leaving = self.open.iter().filter_map(|link| link.leaves_at);
        opening.into_iter().chain(open_at).chain(heartbeats).chain(leaving).min()
    }
}
